"use strict";
(async () => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  // long lists that repeat themselves come as their different items and which of them stand where
  const whole = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(whole);
    if (value.packed && value.at) return value.at.map((i) => value.packed[i]);
    for (const key of Object.keys(value)) value[key] = whole(value[key]);
    return value;
  };
  await Bokeh.embed.embed_items({ page: whole(data.document) }, [
    { docid: "page", roots: data.roots, root_ids: Object.keys(data.roots) },
  ]);
  const page = Bokeh.documents[0];
  const plan = data.plan;
  document.body.dataset.ready = "yes";
  if (plan === null) return;

  const plot = page.get_model_by_name("map");
  const source = {};
  for (const name of ["sites", "blocked", "not_chosen", "rejected", "substations"]) {
    const drawn = plot.renderers.find((r) => r.name === name);
    if (drawn) source[name] = drawn.data_source;
  }
  const links = plot.renderers.filter((r) => r.name === "links").map((r) => r.data_source);
  const number = (x, digits) => x.toLocaleString("en-US", { maximumFractionDigits: digits });

  // the date: sites get the MW, class and size that they have in the period, links what they carry
  const most = Math.max(1e-9, ...plan.it_mw.flat());
  const size = (mw) => (mw > 0 ? Math.max(plan.smallest, plan.largest * Math.sqrt(mw / most)) : 5);
  const slider = document.getElementById("period");
  const standing = document.getElementById("standing");
  const show = (t) => {
    document.getElementById("period-name").textContent = plan.ticks[t];
    const it = plan.it_mw.map((of) => of[t]);
    const grid = plan.grid_mw.map((of) => of[t]);
    const hall = plan.hall.map((of) => of[t]);
    const sum = (of) => of.reduce((a, b) => a + b, 0);
    standing.textContent =
      `${it.filter((mw) => mw > 0).length} sites with ${number(sum(it), 0)} IT MW, ` +
      `${number(sum(grid), 0)} grid MW`;
    let busy_links = 0;
    for (const of of links) {
      const now = Array.from(of.data.by_period).map((tbps) => tbps[t]);
      const names = Array.from(of.data.ends).map((ends, i) => `${of.data.service[i]} ${ends} ${of.data.route[i]}`);
      busy_links += new Set(names.filter((_, i) => now[i] > 0)).size;
      of.data = {
        ...of.data,
        alpha: now.map((tbps) => (tbps > 0 ? 1 : plan.idle_link)),
        tbps: now.map((tbps) => `${number(tbps, 4)} Tb/s`),
      };
    }
    if (links.length) standing.textContent += `, ${busy_links} route${busy_links === 1 ? "" : "s"} over fiber in use`;
    if (!source.sites) return;
    source.sites.data = {
      ...source.sites.data,
      size: it.map(size),
      color: hall.map((h) => (h < 0 ? "#ffffff" : plan.colors[h % plan.colors.length])),
      ink: hall.map((h) => (h < 0 ? plan.texts[0] : plan.texts[1 + (h % plan.colors.length)])),
      marker: hall.map((h) => (h < 0 ? "circle" : plan.markers[h % plan.markers.length])),
      class: hall.map((h) => (h < 0 ? "nothing yet" : plan.halls[h])),
      it_now: it.map((mw) => number(mw, 1)),
      grid_now: grid.map((mw) => number(mw, 1)),
    };
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  show(Number(slider.value));

  // many points are small while the view is wide, and grow as it is narrowed
  const { x_range, y_range } = plot;
  const width = x_range.end - x_range.start;
  const candidates = ["blocked", "not_chosen", "rejected"];
  const sizes = source.substations ? Array.from(source.substations.data.size) : [];
  let drawn = plan.scale;
  let timer = 0;
  const grow = () => {
    const now = Math.min(1, plan.scale * Math.sqrt(width / (x_range.end - x_range.start)));
    if (Math.abs(now - drawn) < 0.02) return;
    drawn = now;
    for (const r of plot.renderers) {
      if (candidates.includes(r.name)) r.glyph.size = { value: plan.point * now };
    }
    if (source.substations) {
      const of = source.substations;
      of.data = { ...of.data, size: sizes.map((s) => (s * now) / plan.scale) };
    }
  };
  // a city's name gives way to symbols of sites and to names of larger cities; its dot stays
  const cities = (plot.renderers.find((r) => r.name === "cities") || {}).data_source;
  const called = cities ? Array.from(cities.data.name) : [];
  const thin = () => {
    if (!cities) return;
    const per_m = (plot.inner_width || 840) / (x_range.end - x_range.start);
    const taken = [];
    const sites = source.sites ? source.sites.data : { x: [], y: [], size: [] };
    for (let i = 0; i < sites.x.length; i++) {
      const [x, y, half] = [sites.x[i] * per_m, sites.y[i] * per_m, sites.size[i] / 2];
      taken.push([x - half, y - half, x + half, y + half]);
    }
    const shown = called.map((name, i) => {
      const [x, y] = [cities.data.x[i] * per_m, cities.data.y[i] * per_m];
      const box = [x - 3, y - 8, x + 8 + 6.2 * name.length, y + 8];
      const free = taken.every((t) => t[0] > box[2] || t[2] < box[0] || t[1] > box[3] || t[3] < box[1]);
      if (free) taken.push(box);
      return free ? name : "";
    });
    if (shown.join() !== Array.from(cities.data.name).join()) {
      cities.data = { ...cities.data, name: shown };
    }
  };
  x_range.change.connect(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      grow();
      thin();
    }, 120);
  });
  slider.addEventListener("input", thin);
  thin();
  // paper has no use for tools
  for (const [event, shown] of [["beforeprint", false], ["afterprint", true]]) {
    window.addEventListener(event, () => {
      plot.toolbar.visible = shown;
    });
  }

  // groups that can be hidden
  for (const box of document.querySelectorAll(".legend input[data-group]")) {
    const set = () => {
      for (const r of plot.renderers) if (r.name === box.dataset.group) r.visible = box.checked;
    };
    box.addEventListener("change", set);
    set();
  }

  // a place: its symbol is selected, the map moves to it, and a line says what it is
  const told = document.getElementById("chosen");
  const rows = [...document.querySelectorAll("tr[data-place]")];
  const names = { site: ["sites", "blocked", "not_chosen", "rejected"], poi: ["substations"] };
  const find = (place) => {
    const cut = place.indexOf(":");
    const id = place.slice(cut + 1);
    for (const group of names[place.slice(0, cut)] || []) {
      const at = source[group] ? source[group].data.id.indexOf(id) : -1;
      if (at >= 0) return { group, at };
    }
    return null;
  };
  const mark = (place) => {
    for (const row of rows) row.classList.toggle("on", row.dataset.place === place);
  };
  let busy = false;
  const clear = (except) => {
    for (const [name, of] of Object.entries(source)) if (name !== except) of.selected.indices = [];
  };
  const select = (place, far) => {
    const found = find(place);
    busy = true;
    clear(found ? found.group : "");
    mark(place);
    if (!found) {
      told.textContent = `${place.slice(place.indexOf(":") + 1)} is not on the map.`;
      busy = false;
      return;
    }
    const { group, at } = found;
    const of = source[group];
    of.selected.indices = [at];
    const box = document.querySelector(`.legend input[data-group="${group}"]`);
    if (box && !box.checked) box.click();
    const x = of.data.x[at];
    const y = of.data.y[at];
    const inside = x > x_range.start && x < x_range.end && y > y_range.start && y < y_range.end;
    if (far || !inside) {
      const zoom = far ? 0.5 * Math.min(1, plan.near_m / (x_range.end - x_range.start)) : 0.5;
      const w = (x_range.end - x_range.start) * zoom;
      const h = (y_range.end - y_range.start) * zoom;
      x_range.setv({ start: x - w, end: x + w });
      y_range.setv({ start: y - h, end: y + h });
    }
    tell(group, at);
    busy = false;
  };
  const tell = (group, at) => {
    const of = source[group].data;
    const name = of.name[at] && of.name[at] !== of.id[at] ? ` ${of.name[at]}` : "";
    const what =
      group === "sites" ? `in the plan, from ${of.opened[at]}: ${of.it_now[at]} IT MW at ${plan.ticks[slider.value]}`
      : group === "substations" ? `substation, ${of.kv[at]}, headroom ${of.headroom_mw[at]}`
      : of.why[at];
    told.textContent = `${of.id[at]}${name}: ${what}`;
  };
  for (const row of rows) {
    const go = () => {
      select(row.dataset.place, false);
      document.getElementById("map").scrollIntoView({ block: "nearest" });
    };
    row.addEventListener("click", go);
    row.addEventListener("keydown", (event) => {
      if (event.key === "Enter") go();
    });
  }
  for (const [group, of] of Object.entries(source)) {
    of.selected.properties.indices.change.connect(() => {
      if (busy || !of.selected.indices.length) return;
      busy = true;
      clear(group);
      busy = false;
      const at = of.selected.indices[0];
      mark(`${group === "substations" ? "poi" : "site"}:${of.data.id[at]}`);
      tell(group, at);
    });
  }

  // the search, over every place that was looked at and every substation
  const wanted = document.getElementById("wanted");
  const list = document.getElementById("found");
  wanted.addEventListener("input", () => {
    list.replaceChildren();
    const text = wanted.value.trim().toLowerCase();
    if (!text) return;
    for (const [group, of] of Object.entries(source)) {
      const { id, name } = of.data;
      for (let i = 0; i < id.length && list.children.length < 12; i++) {
        const words = name[i] && name[i] !== id[i] ? `${id[i]} ${name[i]}` : id[i];
        if (!words.toLowerCase().includes(text)) continue;
        const button = document.createElement("button");
        const kind = group === "substations" ? "poi" : "site";
        button.type = "button";
        button.textContent = `${words} (${plan.words[group]})`;
        button.addEventListener("click", () => select(`${kind}:${id[i]}`, true));
        const item = document.createElement("li");
        item.append(button);
        list.append(item);
      }
    }
  });
})();
