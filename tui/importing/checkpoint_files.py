"""Whether the bytes of a file are a checkpoint's, which holds the weights of a whole model."""

from __future__ import annotations

import re

_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_SAFETENSORS = re.compile(rb'.{8}\{\s*["}]', re.DOTALL)
_MEMBER_OF_TORCH = re.compile(rb"PK\x03\x04.{26}[^/\x00]{1,255}/(?:data\.pkl|\.format_version)", re.DOTALL)


def is_checkpoint(data: bytes) -> bool:
    """Whether they begin like one: as torch.save writes it, before and after 1.6, or as safetensors."""
    return any(kind.match(data) for kind in (_PICKLE, _SAFETENSORS, _MEMBER_OF_TORCH))
