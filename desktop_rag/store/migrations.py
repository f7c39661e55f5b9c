"""The schema, as an ordered list of scripts; `user_version` counts those applied. Never edit one that shipped.

Statements end with ";" at a line's end. Times are Unix seconds, offsets Unicode code points.
`pages.text` and everything after it hold scrubbed text; the original text is nowhere in here.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE encoders (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, card TEXT NOT NULL, dimension INTEGER NOT NULL);
CREATE TABLE collections (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, policy TEXT NOT NULL, review INTEGER NOT NULL,
    language TEXT, encoder_id INTEGER REFERENCES encoders(id), created REAL NOT NULL);
CREATE TABLE documents (
    id TEXT PRIMARY KEY, collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES documents(id) ON DELETE CASCADE,
    path TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT, size INTEGER, format TEXT, title TEXT, language TEXT,
    policy TEXT NOT NULL, review INTEGER NOT NULL, state TEXT NOT NULL,
    error TEXT, pages INTEGER, pages_read INTEGER, pages_ocr INTEGER,
    encoded INTEGER NOT NULL DEFAULT 0,
    parser_version TEXT, scrubber_version TEXT, chunker_version TEXT, analyser_version TEXT,
    added REAL NOT NULL, updated REAL NOT NULL);
CREATE INDEX documents_by_collection ON documents(collection_id, state);
CREATE INDEX documents_by_hash ON documents(sha256);
CREATE TABLE pages (
    id INTEGER PRIMARY KEY, document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, number INTEGER, locator TEXT, unread TEXT, text TEXT,
    UNIQUE (document_id, ordinal));
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
    label TEXT NOT NULL, number INTEGER NOT NULL, merged_into INTEGER REFERENCES entries(id),
    UNIQUE (label, number));
CREATE TABLE numbers (label TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE aliases (
    id INTEGER PRIMARY KEY, entry_id INTEGER NOT NULL REFERENCES entries(id) ON DELETE CASCADE,
    folded TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (entry_id, folded));
CREATE INDEX aliases_by_folded ON aliases(folded);
CREATE TABLE spans (
    id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL REFERENCES pages(id) ON DELETE CASCADE,
    start INTEGER NOT NULL, end INTEGER NOT NULL, scrubbed_start INTEGER, scrubbed_end INTEGER,
    label TEXT NOT NULL, score REAL NOT NULL, replace INTEGER NOT NULL,
    entry_id INTEGER REFERENCES entries(id), alias_id INTEGER REFERENCES aliases(id));
CREATE INDEX spans_by_page ON spans(page_id);
CREATE INDEX spans_by_entry ON spans(entry_id);
CREATE INDEX spans_by_alias ON spans(alias_id);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    page_id INTEGER NOT NULL REFERENCES pages(id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    context TEXT NOT NULL, length INTEGER NOT NULL);
CREATE INDEX chunks_by_document ON chunks(document_id, ordinal);
CREATE INDEX chunks_by_page ON chunks(page_id);
CREATE TABLE vectors (
    chunk_id INTEGER PRIMARY KEY REFERENCES chunks(id) ON DELETE CASCADE,
    encoder_id INTEGER NOT NULL REFERENCES encoders(id), vector BLOB NOT NULL);
CREATE TABLE terms (id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE);
CREATE TABLE postings (
    term_id INTEGER NOT NULL REFERENCES terms(id), chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    frequency INTEGER NOT NULL, PRIMARY KEY (term_id, chunk_id)) WITHOUT ROWID;
CREATE INDEX postings_by_chunk ON postings(chunk_id);
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, collection_id INTEGER REFERENCES collections(id) ON DELETE SET NULL,
    created REAL NOT NULL, updated REAL NOT NULL);
CREATE TABLE messages (
    id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES messages(id) ON DELETE CASCADE, role TEXT NOT NULL, text TEXT NOT NULL,
    data TEXT, created REAL NOT NULL);
CREATE INDEX messages_by_conversation ON messages(conversation_id, created);
CREATE TABLE quotes (
    message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE, document_id TEXT NOT NULL,
    PRIMARY KEY (message_id, document_id)) WITHOUT ROWID
"""

# Files inside files: `member` is the way to one inside the file at `path`, as a JSON list of names. `modified` is the
# file's time in nanoseconds when it was hashed: a file of the same size and time need not be hashed again.
_FILES = """
ALTER TABLE documents ADD COLUMN member TEXT;
ALTER TABLE documents ADD COLUMN modified INTEGER;
ALTER TABLE pages ADD COLUMN confidence REAL;
CREATE INDEX documents_by_parent ON documents(parent_id);
CREATE INDEX documents_by_path ON documents(collection_id, path);
CREATE TABLE folders (
    id INTEGER PRIMARY KEY, collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
    path TEXT NOT NULL UNIQUE, paused INTEGER NOT NULL DEFAULT 0, checked REAL, problem TEXT);
CREATE TABLE folder_log (
    id INTEGER PRIMARY KEY, folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
    at REAL NOT NULL, change TEXT NOT NULL, name TEXT NOT NULL)
"""

# What is noted of a document that is still being read. `content` of a "page" is sealed with a key that only the user's
# file gives; "findings" are places and classes. All of it goes as soon as the document is cleaned.
_JOURNAL = """
CREATE TABLE journal (
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE, kind TEXT NOT NULL, page INTEGER NOT NULL,
    content BLOB NOT NULL, PRIMARY KEY (document_id, kind, page)) WITHOUT ROWID
"""

_MOUNTS = "ALTER TABLE folders ADD COLUMN mounts TEXT NOT NULL DEFAULT '[]'"

# What is deleted is looked for in the tables that refer to it: without an index, each vault entry in all of them.
_DELETING = """
CREATE INDEX entries_by_merged ON entries(merged_into);
CREATE INDEX entries_by_collection ON entries(collection_id);
CREATE INDEX messages_by_parent ON messages(parent_id);
CREATE INDEX quotes_by_document ON quotes(document_id)
"""

# What stands for a spelling where documents hold believable values, and the secret of a collection it follows from.
_SUBSTITUTES = """
ALTER TABLE aliases ADD COLUMN substitute TEXT;
ALTER TABLE collections ADD COLUMN secret BLOB
"""

# What a person decided about a place, which were doubtful, and the terms that are replaced always, or never. Without a
# collection a rule is for all of them. A document of its own policy is known whatever its collection's is.
_RULES = """
CREATE TABLE rules (
    id INTEGER PRIMARY KEY, collection_id INTEGER REFERENCES collections(id) ON DELETE CASCADE,
    kind TEXT NOT NULL, term TEXT NOT NULL, folded TEXT NOT NULL, label TEXT NOT NULL, created REAL NOT NULL);
CREATE INDEX rules_by_collection ON rules(collection_id, folded);
ALTER TABLE spans ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spans ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN own_policy INTEGER NOT NULL DEFAULT 0;
UPDATE spans SET decided = 1 WHERE page_id IN (
    SELECT p.id FROM pages p JOIN documents d ON d.id = p.document_id WHERE d.state IN ('cleaning', 'indexing'))
"""

# The classes of personal data that are treated otherwise than usual; without a collection, in all of them.
_TREATMENTS = """
CREATE TABLE treatments (
    id INTEGER PRIMARY KEY, collection_id INTEGER REFERENCES collections(id) ON DELETE CASCADE,
    label TEXT NOT NULL, replace INTEGER NOT NULL, threshold REAL NOT NULL);
CREATE UNIQUE INDEX treatments_by_class ON treatments(coalesce(collection_id, 0), label);
CREATE INDEX treatments_by_collection ON treatments(collection_id)
"""

# What was looked for in all documents, and which were looked through for everything (see `looks`).
_LOOKS = """
ALTER TABLE aliases ADD COLUMN looked_for INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rules ADD COLUMN looked_for INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN looked_through INTEGER NOT NULL DEFAULT 0;
CREATE INDEX aliases_not_looked_for ON aliases(entry_id) WHERE looked_for = 0
"""

# A chunk's vector by each encoder: while a collection changes to its next one, both are there.
_ENCODERS = """
CREATE TABLE vectors_by_encoder (
    chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    encoder_id INTEGER NOT NULL REFERENCES encoders(id), vector BLOB NOT NULL, UNIQUE (chunk_id, encoder_id));
INSERT INTO vectors_by_encoder SELECT chunk_id, encoder_id, vector FROM vectors;
DROP TABLE vectors;
ALTER TABLE vectors_by_encoder RENAME TO vectors;
ALTER TABLE collections ADD COLUMN next_encoder_id INTEGER REFERENCES encoders(id);
ALTER TABLE collections ADD COLUMN encoder_chosen INTEGER NOT NULL DEFAULT 0
"""

# How words and meaning are joined where a collection has its own way.
_FUSION = """
ALTER TABLE collections ADD COLUMN fusion TEXT
"""

# Words by passage are what holds; passages by word are made from them, and follow in batches: `unmerged` are those
# still to come. See `packed` for the blobs. No passage can go before its words are taken out.
_PACKED_WORDS = """
CREATE TABLE forward (chunk_id INTEGER PRIMARY KEY REFERENCES chunks(id), terms BLOB NOT NULL);
CREATE TABLE unmerged (chunk_id INTEGER PRIMARY KEY);
CREATE TABLE segments (
    segment INTEGER NOT NULL, term_id INTEGER NOT NULL, postings BLOB NOT NULL,
    PRIMARY KEY (segment, term_id)) WITHOUT ROWID;
INSERT INTO forward SELECT k.id, coalesce(
    (SELECT packed_entries(term_id, frequency) FROM postings WHERE chunk_id = k.id), x'') FROM chunks k;
INSERT INTO segments
    SELECT chunk_id >> 13, term_id, packed_postings(chunk_id, frequency) FROM postings GROUP BY 1, 2;
DROP TABLE postings;
CREATE INDEX documents_by_policy ON documents(collection_id, policy)
"""

# What a collection is recognised by elsewhere; of an imported one which number of a pseudonym is which here, by class,
# and the digest its documents came with. Such a document has no file here: its path is empty.
_EXPORTS = """
ALTER TABLE collections ADD COLUMN uuid TEXT;
ALTER TABLE collections ADD COLUMN imported TEXT;
ALTER TABLE documents ADD COLUMN content TEXT;
CREATE UNIQUE INDEX collections_by_uuid ON collections(uuid)
"""

# Questions whose right passages a person named: the search is measured by them. A passage is a place in the original,
# which stays where it is when a document is cleaned, cut or encoded anew; `page` is the page's ordinal.
_JUDGED = """
CREATE TABLE judged (
    id INTEGER PRIMARY KEY, question TEXT NOT NULL, created REAL NOT NULL,
    message_id TEXT UNIQUE REFERENCES messages(id) ON DELETE CASCADE);
CREATE TABLE judged_passages (
    judged_id INTEGER NOT NULL REFERENCES judged(id) ON DELETE CASCADE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    page INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL);
CREATE INDEX judged_passages_by_question ON judged_passages(judged_id);
CREATE INDEX judged_passages_by_document ON judged_passages(document_id)
"""

# Whether a passage reads like an instruction to a model, see `answering.instructions.judged`; null: not known.
_INSTRUCTION_LIKE = """
ALTER TABLE chunks ADD COLUMN instruction_like INTEGER
"""

# A team's server that has a collection's vectors, and what a document's passages are called there: the beginning of the
# digest that every member knows it by. What changed after `served_as_of` is to be sent anew.
_SERVERS = """
ALTER TABLE collections ADD COLUMN server TEXT;
ALTER TABLE documents ADD COLUMN served TEXT;
ALTER TABLE documents ADD COLUMN served_as_of REAL;
CREATE INDEX documents_by_served ON documents(collection_id, served)
"""

MIGRATIONS: tuple[str, ...] = (
    *(_FIRST, _FILES, _JOURNAL, _MOUNTS, _DELETING, _SUBSTITUTES, _RULES, _TREATMENTS, _LOOKS),
    _ENCODERS,
    _FUSION,
    _PACKED_WORDS,
    _EXPORTS,
    _JUDGED,
    _INSTRUCTION_LIKE,
    _SERVERS,
)
