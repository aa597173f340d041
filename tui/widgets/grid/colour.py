"""What eyes see in a colour: blends whose steps look equal, luminance and contrast."""

from __future__ import annotations

from textual.color import Color

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

# OKLab (Ottosson, 2020): light to responses of the eye's cones, their cube roots to lightness and two hues.
RGB_TO_CONES: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
CONES_TO_LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
LAB_TO_CONES: Matrix = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
CONES_TO_RGB: Matrix = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def _times(matrix: Matrix, vector: Triple) -> Triple:
    first, second, third = (row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2] for row in matrix)
    return first, second, third


def _linear(colour: Color) -> Triple:
    """The red, green and blue light of a colour, each from 0 to 1."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return red, green, blue


def _from_linear(light: Triple) -> Color:
    """The colour nearest to some light that a screen can show."""
    clipped = (min(max(part, 0.0), 1.0) for part in light)
    red, green, blue = (
        round(255 * (part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))
        for part in clipped
    )
    return Color(red, green, blue)


def _lab(colour: Color) -> Triple:
    red, green, blue = _times(RGB_TO_CONES, _linear(colour))
    return _times(CONES_TO_LAB, (red ** (1 / 3), green ** (1 / 3), blue ** (1 / 3)))


def blend(start: Color, end: Color, part: float) -> Color:
    """The colour `part` of the way from start to end: equal parts look like equal steps of one hue."""
    lightness, green_red, blue_yellow = (
        first + (second - first) * part for first, second in zip(_lab(start), _lab(end), strict=True)
    )
    first, second, third = _times(LAB_TO_CONES, (lightness, green_red, blue_yellow))
    return _from_linear(_times(CONES_TO_RGB, (first**3, second**3, third**3)))


def luminance(colour: Color) -> float:
    """The relative luminance of WCAG 2, from 0 (black) to 1 (white)."""
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), _linear(colour), strict=True))


def contrast(first: Color, second: Color) -> float:
    """The contrast ratio of WCAG 2, from 1 (the same colour) to 21 (black on white)."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)
