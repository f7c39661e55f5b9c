"""The patterns are compiled at their first use; no test should be the one that waits for that."""

from __future__ import annotations

from desktop_rag.privacy.patterns.find import find

find("")
