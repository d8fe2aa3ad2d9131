"""Units on a page: as the SI brochure writes them, and still the same unit."""

from __future__ import annotations

import re

import pytest

from lumipipe.readers.units import QUANTITIES, conversion
from lumipipe.reporting.html import render
from lumipipe.reporting.page import Page, PageSection, render_page
from lumipipe.reporting.result import Result
from lumipipe.reporting.symbols import in_symbols, with_symbols
from reporting.example import example


@pytest.mark.parametrize(
    ("ascii_", "people"),
    [
        ("acceleration, m/s2", "acceleration, m/s²"),
        ("m/s^2", "m/s²"),
        ("wavenumber, 1/cm", "wavenumber, cm⁻¹"),
        ("1730 1/min, or", "1730 min⁻¹, or"),
        ("(1/s2)", "(s⁻²)"),
        ("temperature_2, degC", "temperature_2, °C"),
        ("20 degR", "20 °R"),
        ("turn (deg/s)", "turn (°/s)"),
        ("12 deg", "12°"),
        ("3 mg/m3 at 5 % O2", "3 mg/m³ at 5 % O2"),
        ("ug/Nm3", "µg/Nm³"),
        ("stiffness, N*m/rad", "stiffness, N·m/rad"),
        ("50 ohm", "50 Ω"),
        ("30 uT (us)", "30 µT (µs)"),
        ("area (m2), 12 m3", "area (m²), 12 m³"),
    ],
)
def test_a_unit_is_written_as_people_write_it(ascii_: str, people: str) -> None:
    assert in_symbols(ascii_) == people


@pytest.mark.parametrize(
    "text",
    [
        "machine m2 and subject s2",
        "channel T2 over T2/T24",
        "temp_degC",
        "data/m/s2.csv",
        "5.9/min",
        "kg CO2/kWh",
        "use us, or 12 degrees",
        "1/3 of 2/3",
        "2026-01-02",
        "m2",
    ],
)
def test_what_is_no_unit_stays(text: str) -> None:
    assert in_symbols(text) == text


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        *((name, known.example) for name, known in QUANTITIES.items()),
        ("wavenumber", "1/cm"),
        ("temperature", "degC"),
        ("rotational_frequency", "1/min"),
        ("angular_velocity", "deg/s"),
    ],
)
def test_a_unit_that_is_copied_from_a_page_is_the_same(quantity: str, unit: str) -> None:
    shown = in_symbols(f"({unit})")[1:-1]
    assert conversion(quantity, shown, "here")[0] == conversion(quantity, unit, "here")[0]


def test_a_report_shows_symbols_in_text_tables_and_figures_and_nowhere_else() -> None:
    content = example()
    content["answer"] = "The fault shows from 3 m/s2 on, at 1200 1/min."
    content["metrics"] = [{"name": "m", "label": "Level (kg/m3)", "value": 1.0}]
    spectrum, budget = content["sections"][0]["figures"][0], content["sections"][3]["figures"][0]
    spectrum |= {"y_label": "amplitude (m/s2)", "alt": "A peak of 3 m/s2."}
    budget["columns"][3]["unit"] = "degC"
    content["run"]["digests"] = {"data": "1/min"}
    result = Result.model_validate(content)
    page = render(result)
    text = re.sub(r"<code>.*?</code>", "", page)
    for words in ("3 m/s²", "1200 min⁻¹", "Level (kg/m³)", "A peak of 3 m/s²", " (°C)"):
        assert words in text, words
    assert re.search(r"<text[^>]*>amplitude \(m/s²\)</text>", text)
    assert not re.search(r"m/s2|1/min|kg/m3|degC", text)
    assert "<code>1/min</code>" in page
    assert "m/s2" in result.model_dump_json()


def test_a_request_that_is_to_be_copied_stays_as_it_is() -> None:
    section = PageSection(title="m/s2", text="unit: m/s2")
    page = render_page(Page(label="l", title="t", lead="s", sections=[section]))
    assert "<h2>m/s²</h2>" in page
    assert "<pre>unit: m/s2</pre>" in page


def test_markup_itself_is_not_changed() -> None:
    page = '<style>a{b:1/min}</style><a href="1/min" aria-label="1/min">x</a>'
    assert with_symbols(page) == page.replace('aria-label="1/min"', 'aria-label="min⁻¹"')
