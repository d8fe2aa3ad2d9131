"""Certificates of channels that are files: what they say is filled in, and compared.

How such a file is read is in `lumipipe.readers.dcc`.
"""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from lumipipe.config import Certificate
from lumipipe.errors import InputError
from lumipipe.readers.certificates import of_channel
from lumipipe.readers.compressed import shown
from lumipipe.readers.dcc import CalibrationCertificate, read_certificate
from lumipipe.readers.files import file_digest
from lumipipe.readers.signatures import signature_words
from lumipipe.readers.units import FACTORS, offset_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lumipipe.config import Channel, Source
    from lumipipe.readers.dsi import Result

_AGREE = 1e-6  # relative, of two uncertainties that say the same in other units
_READINGS = ("basic_measuredValue", "basic_referenceValue")
"""What tells at which reading a point lies: what the instrument showed comes first."""
_KEEP = "correct the request, or take it out: the file tells it"


def certificate_files(source: Source, base: Path) -> Iterator[tuple[list[str | int], Path]]:
    """Files of the certificates of a source's channels, and of what is trusted.

    Parameters
    ----------
    source : Source
        With its channels.
    base : Path
        Folder that a relative path starts from: that of the request.

    Yields
    ------
    list of str and int
        Key below the source that names the file.
    Path
        The file.
    """
    for at, channel in enumerate(source.channels):
        known = channel.certificate
        if isinstance(known, Certificate) and known.file is not None:
            key: list[str | int] = ["channels", at, "certificate"]
            yield [*key, "file"], base / known.file
            for number, name in enumerate(known.trust):
                yield [*key, "trust", number], base / name


def certificate_digests(source: Source, base: Path) -> dict[str, str]:
    """Each such file of a source to its SHA-256; where it lies is no part of its name."""
    return {
        f"{source.channels[int(key[1])].name}: {file.name}": file_digest(file)
        for key, file in certificate_files(source, base)
    }


def filled(channel: Channel, base: Path, place: str) -> Certificate | str:
    """The certificate of a channel, with what its file says.

    Parameters
    ----------
    channel : Channel
        Of the request.
    base : Path
        Folder that a relative path starts from: that of the request.
    place : str
        Where the certificate is declared, for the error.

    Returns
    -------
    Certificate or str
        As it is where it is no file. Of uncertainties that depend on the reading the largest
        within the channel's range stands for all: more than each, never less.

    Raises
    ------
    InputError
        As `read_certificate`; and if the request says otherwise than the file, the file is about
        another instrument or quantity, or states several results and none is chosen.
    """
    known = channel.certificate
    if not isinstance(known, Certificate):
        return known
    if known.signature is not None:
        raise InputError(place, "signature is found in a file, not stated", "take it out")
    if known.file is None:
        return known
    file = base / known.file
    try:
        told = read_certificate(file, [base / name for name in known.trust])
    except InputError as error:
        raise InputError(f"{place}: {error.place}", error.problem, error.remedy) from error
    _compare(known, told, shown(file), place)
    update: dict[str, Any] = {
        "id": told.id,
        "laboratory": told.laboratory,
        "valid_from": known.valid_from or told.last_day,
        "valid_until": known.valid_until or told.recalibrate,
        "sha256": told.sha256,
        "signature": signature_words(told.signature),
    }
    largest = _largest(channel, known.result, told.results, f"{place}: {shown(file)}")
    if largest is None:
        return known.model_copy(update=update)
    expanded, k = largest
    if known.standard_u is not None:
        factor = 1.0 if known.unit is None else of_channel(known.unit, channel, place)
        u, stated = expanded / k, factor * known.standard_u
        if not math.isclose(u, stated, rel_tol=_AGREE):
            both = f"is {stated:.6g} {channel.unit}, and {shown(file)} says {u:.6g}"
            raise InputError(place, f"its standard uncertainty {both}", _KEEP)
    return known.model_copy(update=update | {"expanded": expanded, "k": k, "u": None, "unit": None})


def _compare(known: Certificate, told: CalibrationCertificate, name: str, place: str) -> None:
    """Refuse what the request says and the file contradicts; days may be narrower."""
    first, last = told.last_day, told.recalibrate or date.max
    pairs = (
        ("id", known.id, told.id, {told.id}),
        ("laboratory", known.laboratory, told.laboratory, {told.laboratory}),
        ("item", known.item, ", ".join(told.items), {*told.items}),
        ("sha256", known.sha256, told.sha256, {told.sha256}),
        ("valid_from", known.valid_from, first, {max(known.valid_from or first, first)}),
        ("valid_until", known.valid_until, last, {min(known.valid_until or last, last)}),
    )
    for key, stated, found, agree in pairs:
        if stated and stated not in agree:
            raise InputError(place, f"{key} is {stated}, and {name} says {found}", _KEEP)


def _largest(
    channel: Channel, wanted: str | None, results: Sequence[Result], place: str
) -> tuple[float, float] | None:
    """Expanded uncertainty in the channel's unit, and its k, where U / k is largest."""
    stated = [one for one in results if one.expanded]
    if wanted is not None:
        stated = [one for one in stated if one.is_called(wanted)]
        if not stated:
            names = ", ".join(_names(results))
            told = f"has no result {wanted} with an uncertainty"
            raise InputError(place, told, f"use one of: {names}" if names else "take result out")
    fitting = [(one, factor) for one in stated if (factor := _factor(one, channel)) is not None]
    if stated and not fitting:
        units = ", ".join(dict.fromkeys(one.unit for one in stated))
        raise InputError(
            place,
            f"states uncertainties in {units}, which do not measure {channel.quantity} in "
            f"{channel.unit}",
            "give the certificate of this channel, or correct its quantity or unit",
        )
    found = _names([one for one, _ in fitting])
    if len(found) > 1 and wanted is None:
        told = f"has {len(found)} results that fit: {', '.join(found)}"
        raise InputError(place, told, "name one of them in the certificate: result")
    points = [
        (reading, expanded * factor, k)
        for one, factor in fitting
        for reading, expanded, k in zip(
            _readings(one, results, channel), one.expanded, one.k, strict=True
        )
    ]
    low, high = channel.range or (-math.inf, math.inf)
    inside = [(u, k) for at, u, k in points if at is None or low <= at <= high]
    if points and not inside:
        raise InputError(
            place,
            f"none of its {len(points)} points lies in the range {low:g} to {high:g} "
            f"{channel.unit} of {channel.name}",
            "give the certificate of that range, or correct the range",
        )
    return max(inside, key=lambda point: point[0] / point[1], default=None)


def _names(results: Sequence[Result]) -> list[str]:
    """How a request may call the results that state an uncertainty."""
    stated = [one for one in results if one.expanded]
    return list(dict.fromkeys(one.kinds[0] if one.kinds else one.name for one in stated))


def _factor(result: Result, channel: Channel) -> float | None:
    """How many of the channel's unit one of a result's differences is; None of another kind."""
    try:
        return of_channel(result.unit, channel, "")
    except InputError:
        return None


def _readings(
    result: Result, results: Sequence[Result], channel: Channel
) -> tuple[float | None, ...]:
    """At which reading of the channel each point lies; None where nothing tells it."""
    same = [
        one
        for kind in _READINGS
        for one in results
        if one.table == result.table
        and kind in one.kinds
        and len(one.values) == len(result.values)
        and _factor(one, channel) is not None
    ]
    if not same:
        is_error = "basic_measurementError" in result.kinds
        return (None,) * len(result.values) if is_error else _in_channel(result, channel)
    return _in_channel(same[0], channel)


def _in_channel(result: Result, channel: Channel) -> tuple[float, ...]:
    """Values of a result in the unit of the channel, which has the same dimension."""
    factor = of_channel(result.unit, channel, "")
    zero = 0.0 if channel.quantity in FACTORS else offset_in(result.unit, channel.unit)
    return tuple(factor * value + zero for value in result.values)
