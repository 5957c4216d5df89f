"""Scenario section on campus groups: sites far apart that act as one machine on one workload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from sitepick.scenario.fields import (
    NonNegative,
    Number,
    Percent,
    Positive,
    Section,
    Series,
    Whole,
)
from sitepick.scenario.messages import did_you_mean

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

MS_PER_KM = 2 * 4.9e-3
"""Round-trip time of light in fiber, ms per route km."""


class Synchronisation(Section):
    """What sites that train one model exchange. Traffic follows from this, never from MW."""

    params_billion: Series = Field(
        description="Parameters whose updates are exchanged, 1e9, by date."
    )
    bytes_per_param: Positive = Field(2, description="Bytes of an update per parameter (BF16: 2).")
    step_s: Positive = Field(30, description="Computing time of a step, s.")
    every_steps: Whole = Field(
        1, ge=1, description="Steps between exchanges (low-communication training: 100 to 500)."
    )
    compression: Annotated[Number, Field(ge=1)] = Field(
        1, description="Factor by which updates are compressed."
    )
    window_s: Positive | None = Field(
        None,
        description="Time in which a transfer must be done, s: it sizes the links (default: step_s x every_steps, the whole interval).",
    )
    overlap_s: NonNegative | None = Field(
        None,
        description="What of an exchange runs beside computing, s (default: window_s, so that only the hops are waited for).",
    )

    @property
    def interval_s(self) -> float:
        """Seconds of computing between two exchanges."""
        return self.step_s * self.every_steps

    @model_validator(mode="after")
    def _in_time(self) -> Synchronisation:
        if self.window_s is not None and self.window_s > self.interval_s:
            raise ValueError(
                f"window_s {self.window_s:g} is longer than step_s x every_steps "
                f"({self.interval_s:g} s): transfers would pile up"
            )
        if not any(self.params_billion.values()):
            raise ValueError("params_billion is 0: nothing would be exchanged")
        return self


class CampusGroup(Section):
    """Sites that act as one machine: all work of a workload is done by the members of the group.

    What is asked, by date, its price and whether it must be served are those of the workload, in
    ref_mw (IT MW where it `uses: it`).
    """

    name: str = Field(min_length=1, max_length=60, description="Name used in every output.")
    workload: str = Field(
        min_length=1, description="The workload that the group, and nobody else, serves."
    )
    sites_max: Whole = Field(4, ge=1, le=64, description="Most sites of the group.")
    sites_min: Whole = Field(1, ge=1, description="Least sites, if there is a group at all.")
    min_site_it_mw: Positive = Field(
        50,
        description="IT MW that every member gives the group, in the period of its largest demand.",
    )
    rtt_ms_max: Positive | None = Field(
        None,
        description="Largest round-trip time between any two members, ms (equipment `demand.hop_ms` counted).",
    )
    route_km_max: Positive | None = Field(
        None, description="Largest route between any two members, km, laterals included."
    )
    shape: Literal["ring", "hub", "mesh"] = Field(
        "ring",
        description="Which links carry the exchange: ring (each node passes on to the next), hub (all to one), mesh (each to each).",
    )
    survive_cut: bool = Field(
        False,
        description="true: every link has two routes that share no fiber edge, each with the whole capacity and within the limit. A member's own lateral is two only with `fiber.diverse`.",
    )
    routes: Whole = Field(
        2,
        ge=1,
        le=10,
        description="Shortest routes considered for each pair of nodes (with `survive_cut` the one pair of least total km).",
    )
    nodes_max: Whole = Field(
        150,
        ge=2,
        le=1000,
        description="Fiber nodes that the group may choose from: of more, those are kept that shorten the way of most sites, and sites at others run along the network to the nearest (counted in their distance).",
    )
    sync: Synchronisation = Field(description="What the sites exchange.")
    loss_pct_per_extra_site: Percent | None = Field(
        None,
        description="Work lost for each site beyond the first, % (default: from the time of an exchange by `sync`, at the limit of round-trip time).",
    )
    migrate: bool = Field(
        False, description="true: members may change every period; else they are chosen once."
    )

    @model_validator(mode="after")
    def _complete(self) -> CampusGroup:
        faults = []
        if self.sites_min > self.sites_max:
            faults.append(f"sites_min {self.sites_min} is more than sites_max {self.sites_max}")
        if self.rtt_ms_max is None and self.route_km_max is None:
            faults.append("give rtt_ms_max or route_km_max: how far members may be apart")
        lost = (self.loss_pct_per_extra_site or 0) * (self.sites_max - 1)
        if lost >= 100:
            faults.append(f"with sites_max {self.sites_max} {lost:g} % of the work would be lost")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def limit_km(self, hop_ms: float) -> float:
        """Return the longest route between two members, km with laterals, of both limits."""
        by_rtt = float("inf")
        if self.rtt_ms_max is not None:
            by_rtt = (self.rtt_ms_max - hop_ms) / MS_PER_KM
        return min(by_rtt, float("inf") if self.route_km_max is None else self.route_km_max)


def group_faults(s: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (path, message) of groups that contradict the workloads or the layers."""
    works, names, served = s.demand.named(), set[str](), dict[str, str]()
    for i, group in enumerate(s.campus_groups):
        at = ("campus_groups", i)
        if group.name in names:
            yield (*at, "name"), f"'{group.name}' is listed twice"
        names.add(group.name)
        if group.rtt_ms_max is not None and group.rtt_ms_max <= s.demand.hop_ms:
            text = (
                f"{group.rtt_ms_max:g} ms leave no time for any distance: equipment alone takes "
                f"demand.hop_ms {s.demand.hop_ms:g} ms"
            )
            yield (*at, "rtt_ms_max"), text
        if group.survive_cut and not s.layers.fiber_links:
            text = "needs a fiber network: name a file in layers.fiber_links"
            yield (*at, "survive_cut"), text
        work = works.get(group.workload)
        if work is None:
            hint = did_you_mean(group.workload, works) or f"; known: {', '.join(works)}"
            yield (*at, "workload"), f"unknown workload '{group.workload}'{hint}"
            continue
        if group.workload in served:
            text = (
                f"workload '{group.workload}' is served by group '{served[group.workload]}' "
                "already: give each group a workload of its own"
            )
            yield (*at, "workload"), text
        served[group.workload] = group.name
        if work.uses not in ("training", "it"):
            text = f"workload '{group.workload}' uses {work.uses}: a group serves training or it"
            yield (*at, "workload"), text
        if work.ref_mw is None:
            yield (*at, "workload"), f"workload '{group.workload}' must state ref_mw (or it_mw)"
        if group.workload in {service.workload for service in s.fiber.services}:
            text = (
                f"workload '{group.workload}' makes traffic in fiber.services: that of a group "
                "follows from its sync; remove the service"
            )
            yield (*at, "workload"), text
        if work.spread != "anywhere" or work.rtt_ms_max is not None:
            text = f"workload '{group.workload}' is for places: a group's is 'spread: anywhere'"
            yield (*at, "workload"), text + " without rtt_ms_max"
