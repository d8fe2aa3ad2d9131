"""Certificates of a request that are files, read when it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.readers.certificatefiles import filled

if TYPE_CHECKING:
    from lumipipe.config import Channel, Request
    from lumipipe.yamlfile import YamlFile


def with_certificates(file: YamlFile, request: Request) -> Request:
    """The request with what files say of certificates of its channels.

    Parameters
    ----------
    file : YamlFile
        The file of the request, for lines; paths start at its folder.
    request : Request
        The form.

    Returns
    -------
    Request
        The same where no certificate is a file.

    Raises
    ------
    InputError
        At the first certificate that does not verify, or that the request contradicts.
    """

    def with_its_own(channel: Channel, source_at: int, channel_at: int) -> Channel:
        keys = ("data", source_at, "channels", channel_at, "certificate")
        name = ".".join(str(key) for key in keys)
        found = filled(channel, file.path.parent, f"{file.place(keys)}: {name}")
        if found is channel.certificate:
            return channel
        return channel.model_copy(update={"certificate": found})

    sources = [
        source.model_copy(
            update={"channels": [with_its_own(c, at, n) for n, c in enumerate(source.channels)]}
        )
        for at, source in enumerate(request.data)
    ]
    return request.model_copy(update={"data": sources})
