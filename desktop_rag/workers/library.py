"""What the `library` process holds: the database and its parts, loaded when first needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from desktop_rag import paths
from desktop_rag.errors import ModelError, SearchError
from desktop_rag.logs import log
from desktop_rag.models.catalogue import SPACY_MODEL, find
from desktop_rag.models.installed import rerankers
from desktop_rag.offline import thread_budget
from desktop_rag.privacy.detect import PresidioDetector
from desktop_rag.privacy.second import SecondOpinion
from desktop_rag.privacy.substitutes import Substitutes
from desktop_rag.privacy.vault import Vault
from desktop_rag.retrieval.chroma import ChromaCache
from desktop_rag.retrieval.cross_encoder import CrossEncoder
from desktop_rag.retrieval.encode import CTranslate2Encoder, Encoder, EncoderCard, Vectors, read_card
from desktop_rag.retrieval.lexical import PostingsIndex
from desktop_rag.retrieval.tfidf import TfIdf
from desktop_rag.retrieval.vectors import VectorStore
from desktop_rag.settings import NO_RERANKER, Settings
from desktop_rag.store.collections import DEFAULT_NAME, Collections, StoredEncoder
from desktop_rag.store.connection import open_database
from desktop_rag.store.conversations import Conversations
from desktop_rag.store.documents import Documents
from desktop_rag.store.folders import Folders
from desktop_rag.store.key import Key, load_key, settle
from desktop_rag.store.lock import acquire
from desktop_rag.store.reviews import Reviews
from desktop_rag.store.rules import RuleRows
from desktop_rag.store.treatments import Treatments
from desktop_rag.store.vault import StoredSubstitutes, open_vault
from desktop_rag.workers.kv_folder import KvFolder
from desktop_rag.workers.parsing import Parser

ENCODER_MODEL = "all-minilm-l6-v2-ct2-int8"
# Chroma takes as long for one vector as for a hundred.
_CACHED_AT_ONCE = 256


class Library:
    """One data directory, opened. Only one process may hold it. The arguments are those of `store.key.load_key`."""

    def __init__(
        self,
        data_dir: Path,
        passphrase: bytes | None = None,
        *,
        ask: bool = False,
        sign: Callable[[], None] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self._lock: IO[str] = acquire(data_dir)
        with ExitStack() as undo:
            undo.callback(self._lock.close)
            self.key: Key = load_key(data_dir, passphrase, ask=ask)
            self.db = open_database(data_dir / "library.db", self.key, sign)
            undo.callback(self.db.close)
            settle(data_dir, self.key, passphrase)
            undo.pop_all()
        self.collections = Collections(self.db)
        self.folders = Folders(self.db)
        # Files of watched folders whose content is that of another one there: their size and time, and its path.
        self.copies: dict[str, tuple[tuple[int, int], str]] = {}
        self.lexical = PostingsIndex(self.db)
        self.documents = Documents(self.db, self.lexical.remove)
        self.reviews = Reviews(self.db)
        self.rules = RuleRows(self.db)
        self.treatments = Treatments(self.db)
        self.conversations = Conversations(self.db)
        self.vectors = VectorStore(self.db)
        self.chroma = ChromaCache(data_dir / "chroma")
        self.parser = Parser(data_dir)
        self.kv = KvFolder(data_dir, self.key.raw)
        self.passwords: list[str] = []
        self.at_work: set[str] = set()
        # By collection, (class, value) of what no vault may keep, until other documents were looked through for it.
        self.unkept: dict[int, set[tuple[str, str]]] = {}
        self._encoders: dict[str, Encoder] = {}
        # A cross-encoder that lies elsewhere, for a measurement.
        self.reranker_folder: Path | None = None
        self._reranker: tuple[Path, CrossEncoder] | None = None
        # Collections whose encoder is being changed.
        self.changing: set[int] = set()
        self._vaults: dict[int, Vault] = {}
        self._substitutes: dict[int, Substitutes] = {}
        # Collections whose vectors lie in Chroma and agree with the database.
        self._checked: set[int] = set()
        self._dropped = False
        self._exact_up_to = int(self.settings["exact_up_to"])
        # By collection, chunks whose vectors are not in Chroma yet.
        self._uncached: dict[int, list[int]] = {}

    @property
    def settings(self) -> Settings:
        """The user's settings as they are now."""
        return Settings(self.data_dir)

    @cached_property
    def detector(self) -> PresidioDetector:
        """The finder of personal data; spaCy must not bring torch and transformers along into this process."""
        for name in ("torch", "transformers"):
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]
        second = (
            SecondOpinion(find(SPACY_MODEL).folder(paths.models_dir())) if self.settings["second_opinion"] else None
        )
        return PresidioDetector(paths.assets_dir() / "recogniser", second)

    @cached_property
    def viewer(self) -> Parser:
        """Reads files for their owner's eyes, beside the parser that indexes: neither waits for the other."""
        return Parser(self.data_dir)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of English passages and questions, which also counts tokens and aligns answers."""
        return self._load_encoder(ENCODER_MODEL)

    def encoder_named(self, name: str) -> Encoder:
        """An installed encoder by its id in the catalogue, loaded when first used. Raises ModelError."""
        if name == ENCODER_MODEL:
            return self.encoder
        if name not in self._encoders:
            self._encoders[name] = self._load_encoder(name)
        return self._encoders[name]

    def _load_encoder(self, name: str) -> CTranslate2Encoder:
        return CTranslate2Encoder(find(name).folder(paths.models_dir()), threads=thread_budget("library"))

    def encoder_for(self, collection: int) -> Encoder:
        """What encodes a question to this collection. Raises SearchError("fingerprint_changed"), ModelError."""
        self.check_encoder(collection)
        in_use = self.collections.encoders(collection).in_use
        return self.encoder if in_use is None else self.encoder_named(in_use.name)

    def encoders(self, collections: Iterable[int]) -> dict[int, Encoder]:
        """By collection what encodes a question to it; collections of one encoder share it."""
        return {collection: self.encoder_for(collection) for collection in collections}

    def reranker(self) -> CrossEncoder | None:
        """The cross-encoder that reads the best candidates again, loaded when first used; None where there is none.

        It is the first one by name. Raises ModelError when it cannot be loaded.
        """
        path = self.reranker_folder
        if path is None and self.settings["reranker"] != NO_RERANKER:
            path = next((each.path for each in rerankers(self.data_dir)), None)
        if path is None:
            self._reranker = None
        elif self._reranker is None or self._reranker[0] != path:
            self._reranker = (path, CrossEncoder(path, threads=thread_budget("library")))
        return self._reranker[1] if self._reranker else None

    def card(self, name: str) -> EncoderCard:
        """The card of an installed encoder, by its id in the catalogue. Raises ModelError("not_installed")."""
        if name == ENCODER_MODEL and "encoder" in vars(self):
            return self.encoder.card
        return read_card(find(name).folder(paths.models_dir()))

    def is_installed(self, encoder: StoredEncoder) -> bool:
        """Whether this machine has the encoder that made vectors, in the same version."""
        try:
            return self.card(encoder.name).fingerprint == encoder.fingerprint
        except ModelError:
            return False

    @cached_property
    def beside(self) -> ThreadPoolExecutor:
        """A thread for native code, which lets this one go on meanwhile."""
        return ThreadPoolExecutor(1, "beside")

    @cached_property
    def tfidf(self) -> TfIdf:
        """The words weighed as before BM25."""
        return TfIdf(self.lexical)

    def vault(self, collection: int) -> Vault:
        """The collection's vault, kept in memory."""
        if collection not in self._vaults:
            self._vaults[collection] = open_vault(self.db, collection)
        return self._vaults[collection]

    def forget_vault(self, collection: int) -> None:
        """Read the vault anew at its next use (after a transaction was rolled back or entries went)."""
        self._vaults.pop(collection, None)
        self._substitutes.pop(collection, None)

    def substitutes(self, collection: int) -> Substitutes:
        """What stands for the values of the collection's vault where documents hold believable ones."""
        if collection not in self._substitutes:
            rows = StoredSubstitutes(self.db, collection, self._indexed)
            self._substitutes[collection] = Substitutes(self.vault(collection), rows)
        return self._substitutes[collection]

    def _indexed(self, text: str) -> bool:
        """Whether every term of a text stands somewhere; all collections count, for answers may come from all."""
        everywhere = self.chosen(None)
        return not all(self.lexical.missing(words, everywhere) for words in self.lexical.analyses(text, everywhere))

    def default_collection(self) -> dict[str, Any]:
        """The first collection, made with the user's settings if there is none."""
        rows = self.collections.all()
        return (
            rows[0] if rows else self.collections.create(DEFAULT_NAME, self.settings["policy"], self.settings["review"])
        )

    def chosen(self, collection: str | int | None) -> list[int]:
        """The ids a question is asked of: one collection, or all of them."""
        if collection is None:
            return list(self.collections.names())
        return [self.collections.need(collection)["id"]]

    def private(self, collection: int) -> bool:
        """Whether this collection's vectors may lie in Chroma's unencrypted files."""
        row = self.collections.find(collection)
        kept = self.db.execute(
            "SELECT 1 FROM documents WHERE collection_id = ? AND policy = 'keep' LIMIT 1", (collection,)
        ).fetchone()
        return row is not None and row["policy"] != "keep" and kept is None

    def check_encoder(self, collection: int) -> None:
        """Refuse to mix vectors of two encoders. Raises SearchError("fingerprint_changed")."""
        in_use = self.collections.encoders(collection).in_use
        if in_use is not None and not self.is_installed(in_use):
            name = self.collections.need(collection)["name"]
            raise SearchError(
                "fingerprint_changed",
                f"“{name}” was indexed with an encoder that is not installed.",
                f"Encode it anew: desktop-rag collections --encoder all-MiniLM-L6-v2 --collection “{name}”",
                details={"collection": collection, "encoder": in_use.card.get("name")},
            )

    def ensure_parity(self, collection: int) -> int:
        """Make Chroma agree with the database, wholly once per run; returns how many ids were put right.

        Damage of Chroma's own files, and vectors in them that may not be there, are answered by starting a new
        cache from the database.
        """
        waiting = self._uncached.pop(collection, ())
        if not self._may_cache(collection):
            # Files of an earlier run may still hold what may not be there any more.
            if not self._dropped:
                self.drop_needless_cache()
            return 0
        try:
            if collection in self._checked:
                if held := self.vectors.get(waiting):
                    self.chroma.add(collection, list(held), np.stack(list(held.values())))
                return 0
            if not self._checked and not all(self.cached(held) for held in self.chroma.collections()):
                self.drop_cache()
            repaired = self.chroma.repair(collection, self.vectors)
        except Exception:  # noqa: BLE001 - Chroma's edge: whatever is wrong with the cache, the truth is in the database
            self.drop_cache()
            repaired = self.chroma.repair(collection, self.vectors)
        self._checked.add(collection)
        self._dropped = False
        return repaired

    def drop_cache(self) -> None:
        """Throw Chroma's files away, all of them: only so do erased vectors leave them. The next search fills them."""
        self.chroma.discard()
        self._uncached.clear()
        self._checked.clear()
        self._dropped = True

    def cached(self, collection: int) -> bool:
        """Whether a collection's vectors lie in Chroma: where comparing them all takes longer, and they may."""
        size = self.passages(collection)
        # Going in and out of it costs minutes: what has come stays until it is half as large.
        return size > self._exact_up_to / (2 if collection in self._checked else 1) and self.private(collection)

    def passages(self, collection: int) -> int:
        """How many passages a collection has."""
        return self.lexical.sizes().of([collection])[0]

    def drop_needless_cache(self) -> None:
        """Throw Chroma's files away when no collection lies in them any more."""
        if not any(map(self.cached, self.collections.names())):
            self.drop_cache()

    def _may_cache(self, collection: int) -> bool:
        """Whether a collection may lie in Chroma; one that lies there and may not any more leaves it."""
        cached = self.cached(collection)
        if not cached and collection in self._checked:
            self.drop_cache()
        return cached

    def cache(self, collection: int, chunks: Iterable[int]) -> None:
        """Carry vectors that the database holds over to Chroma; many at once, at the latest before the next search.

        A dropped cache waits for a search: else a hundred changed files would fill it a hundred times.
        """
        if not self._may_cache(collection) or self._dropped:
            return
        waiting = self._uncached.setdefault(collection, [])
        waiting += chunks
        if len(waiting) >= _CACHED_AT_ONCE or collection not in self._checked:
            self.fill_cache()

    def fill_cache(self) -> None:
        """Put in what waits. Where that cannot be done the vectors are safe, and the next search tries again."""
        for collection in list(self._uncached):
            try:
                self.ensure_parity(collection)
            except Exception as error:  # noqa: BLE001 - Chroma's edge: a cache that cannot be made must not stop the work
                log.warning("the vector cache cannot be filled: %s", type(error).__name__)

    def open_cache(self) -> None:
        """Load Chroma and its files before they are needed; where these are damaged a new cache is started."""
        try:
            self.chroma.open()
        except Exception:  # noqa: BLE001 - Chroma's edge: whatever is wrong with the cache, the truth is in the database
            self.drop_cache()

    def search(self, query: Vectors, collection: int, limit: int) -> dict[int, float]:
        """DenseIndex: every vector is compared; in a large collection Chroma finds, and exact scores rank."""
        self.check_encoder(collection)
        if not self._may_cache(collection):
            return self.vectors.search(query, collection, limit)
        try:
            self.ensure_parity(collection)
            candidates = self.chroma.search(query, collection, limit * 2)
        except Exception:  # noqa: BLE001 - Chroma's edge again: a broken cache must not empty an answer
            self._checked.discard(collection)
            return self.vectors.search(query, collection, limit)
        held = self.vectors.get(candidates)
        scores = {chunk: float(vector @ query) for chunk, vector in held.items()}
        return dict(sorted(scores.items(), key=lambda item: -item[1])[:limit])

    def scores(self, query: Vectors, collections: Sequence[int], chunks: Sequence[int]) -> dict[int, float]:
        """DenseIndex: see VectorStore."""
        return self.vectors.scores(query, collections, chunks)

    def close(self) -> None:
        """Let go of everything."""
        self.parser.close()
        if "viewer" in vars(self):
            self.viewer.close()
        if "beside" in vars(self):
            self.beside.shutdown(cancel_futures=True)
        self.chroma.close()
        self.db.close()
        self._lock.close()
