"""Traffic and step time of synchronised training, against figures worked by hand."""

from __future__ import annotations

import pytest

from sitepick.network.sync import Sync, efficiency, hops, link_share, link_tbps, links, sync_s


@pytest.mark.parametrize(("params_t", "tbps"), [(1, 0.53), (10, 5.3), (72, 38.0)])
def test_two_sites_bf16_30_s(params_t, tbps):
    """P x 2 bytes x 8 bits / 30 s, 2(2-1)/2 = 1 times per direction."""
    found = link_tbps(Sync(params_t=params_t), "ring", 2)
    assert found == pytest.approx(params_t * 16 / 30)
    assert found == pytest.approx(tbps, rel=0.02)


def test_72_t_over_23_sites():
    """A ring of 4,800 km: 2 x 22/23 x 72e12 x 16 bit / 30 s on each of 23 links, 3.4 Pb/s in all
    both ways; the light goes nearly twice around, 45 ms, and 220 ms of it cost less than 1 %."""
    sync = Sync(params_t=72)
    each = link_tbps(sync, "ring", 23)
    assert each == pytest.approx(2 * 22 / 23 * 72 * 16 / 30)
    assert 2 * links("ring", 23) * each == pytest.approx(3379.2)
    rtt_ms = 2 * 4800 / 23 * 4.9e-3
    hopping = sync_s(sync, "ring", 23, each, rtt_ms) - sync.transfer_s
    assert hopping == pytest.approx(44 * 4800 / 23 * 4.9e-6)
    slow = 0.220 / hops("ring", 23) * 2 * 1000  # ms per round trip that make 220 ms in all
    assert efficiency(sync, "ring", 23, slow) == pytest.approx(30 / 30.22)
    assert 0.99 < efficiency(sync, "ring", 23, slow) < efficiency(sync, "ring", 23, rtt_ms)


def test_rare_and_compressed_exchanges_divide():
    """1 T parameters every 100 to 500 steps: 1 to 10 Gb/s."""
    often = link_tbps(Sync(params_t=1), "ring", 2)
    for every in (100, 500):
        tbps = link_tbps(Sync(params_t=1, every_steps=every), "ring", 2)
        assert tbps == pytest.approx(often / every)
        assert 1e-3 < tbps < 1e-2
    assert link_tbps(Sync(params_t=1, compression=4), "ring", 2) == pytest.approx(often / 4)


def test_shapes():
    """Four places: ring 4 links of 3/2, hub 3 of 1, mesh 6 of 1/2; all sums as each shape needs."""
    assert [links(s, 4) for s in ("ring", "hub", "mesh")] == [4, 3, 6]
    assert [link_share(s, 4) for s in ("ring", "hub", "mesh")] == [1.5, 1.0, 0.5]
    assert [links(s, 2) for s in ("ring", "hub", "mesh")] == [1, 1, 1]
    assert [link_share(s, 2) for s in ("ring", "hub", "mesh")] == [1.0, 1.0, 1.0]
    assert [link_share(s, 1) for s in ("ring", "hub", "mesh")] == [0.0, 0.0, 0.0]
    # a mesh site sends to three others what a ring site sends to one
    assert 3 * link_share("mesh", 4) == link_share("ring", 4)


def test_a_transfer_that_does_not_overlap_is_waited_for():
    """10 s of transfer in a 30 s step, none of it beside computing, and 2 hops of 20 ms."""
    sync = Sync(params_t=1, window_s=10, overlap_s=0)
    assert link_tbps(sync, "hub", 5) == pytest.approx(1.6)
    assert efficiency(sync, "hub", 5, 40) == pytest.approx(30 / 40.04)
    wide = efficiency(sync, "hub", 5, 40, tbps=16)
    assert wide == pytest.approx(30 / 31.04)
    assert efficiency(sync, "hub", 1, 40) == 1.0
