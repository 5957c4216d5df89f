"""Distance on the WGS84 ellipsoid, by Vincenty's inverse formula (Survey Review 1975)."""

from __future__ import annotations

from math import atan, atan2, cos, radians, sin, sqrt, tan

_A_KM = 6378.137
_FLAT = 1 / 298.257223563
_ROUNDS = 100


def geodesic_km(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return km between two points in degrees, to a millimetre but for nearly opposite ones."""
    b = _A_KM * (1 - _FLAT)
    u1, u2 = (atan((1 - _FLAT) * tan(radians(lat))) for lat in (lat1, lat2))
    wanted = radians((lon2 - lon1 + 180) % 360 - 180)
    lam = wanted
    for _ in range(_ROUNDS):
        across = cos(u2) * sin(lam)
        along = cos(u1) * sin(u2) - sin(u1) * cos(u2) * cos(lam)
        sin_s = sqrt(across**2 + along**2)
        if sin_s == 0:
            return 0.0
        cos_s = sin(u1) * sin(u2) + cos(u1) * cos(u2) * cos(lam)
        sigma = atan2(sin_s, cos_s)
        sin_a = cos(u1) * cos(u2) * sin(lam) / sin_s
        cos2_a = 1 - sin_a**2
        mid = cos_s - 2 * sin(u1) * sin(u2) / cos2_a if cos2_a else 0.0
        c = _FLAT / 16 * cos2_a * (4 + _FLAT * (4 - 3 * cos2_a))
        inner = mid + c * cos_s * (2 * mid**2 - 1)
        before, lam = lam, wanted + (1 - c) * _FLAT * sin_a * (sigma + c * sin_s * inner)
        if abs(lam - before) < 1e-13:
            break
    u = cos2_a * (_A_KM**2 - b**2) / b**2
    big_a = 1 + u / 16384 * (4096 + u * (u * (320 - 175 * u) - 768))
    big_b = u / 1024 * (256 + u * (u * (74 - 47 * u) - 128))
    curve = cos_s * (2 * mid**2 - 1) - big_b / 6 * mid * (4 * sin_s**2 - 3) * (4 * mid**2 - 3)
    return b * big_a * (sigma - big_b * sin_s * (mid + big_b / 4 * curve))
