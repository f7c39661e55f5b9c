"""Files made to do harm, written at run time into a folder of their own: bombs, entities, false paths, absurd nesting.

Each is small on disk, or takes no room there. What must come of them: one refusal, or text within the limits.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop_rag.evaluation import attacks_archives as archives

UNTOUCHED = "the text of a file that lies beside it"
"""What stands in a file that attacks try to read; it may not come out of any of them."""
_LEVELS = 100_000


@dataclass(frozen=True, slots=True)
class Attack:
    """One kind of attack; `make` writes its file at the given path, whose name is `file`."""

    name: str
    file: str
    make: Callable[[Path], None]


def make_all(folder: Path) -> list[tuple[Attack, Path]]:
    """Write every attack into `folder`, and beside them the file that must stay unread."""
    (folder / archives.BESIDE).write_text(UNTOUCHED, encoding="utf-8")
    made = []
    for attack in ATTACKS:
        path = folder / attack.file
        attack.make(path)
        made.append((attack, path))
    return made


_DOCX_START = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
_DOCX_END = b"<w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>"


def _docx_bomb(path: Path) -> None:
    archives.packed(
        path, {"word/document.xml": _DOCX_START}, bomb="word/document.xml", unit=b"<w:p><w:r><w:t>a</w:t></w:r></w:p>"
    )


def _docx_entities(path: Path) -> None:
    archives.packed(path, {"word/document.xml": _laughs("w:document") + _DOCX_START + _DOCX_END % b"words &l9;"})


def _sheet_far_cell(path: Path) -> None:
    """One cell at the far corner of a sheet that claims to be full."""
    spaces = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = b'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = b"application/vnd.openxmlformats-officedocument.spreadsheetml"
    archives.packed(
        path,
        {
            "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            b'<Override PartName="/xl/workbook.xml" ContentType="%s.sheet.main+xml"/>'
            b'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="%s.worksheet+xml"/></Types>' % (types, types),
            "_rels/.rels": b'<Relationships %s><Relationship Id="r1" Type="%s/officeDocument" '
            b'Target="xl/workbook.xml"/></Relationships>' % (relations, kind),
            "xl/workbook.xml": b'<workbook %s xmlns:r="%s"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
            b"</workbook>" % (spaces, kind),
            "xl/_rels/workbook.xml.rels": b'<Relationships %s><Relationship Id="r1" Type="%s/worksheet" '
            b'Target="worksheets/sheet1.xml"/></Relationships>' % (relations, kind),
            "xl/worksheets/sheet1.xml": b'<worksheet %s><dimension ref="A1:XFD1048576"/><sheetData><row r="1048576">'
            b'<c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData></worksheet>' % spaces,
        },
    )


def _pdf(path: Path, filters: bytes, packed: bytes) -> None:
    """A PDF of one page whose content is `packed`."""
    path.write_bytes(
        b"%%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>\n"
        b"endobj\n"
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        b"4 0 obj<</Filter%s/Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
        % (filters, len(packed), packed)
    )


def _pdf_stream_bomb(path: Path) -> None:
    _pdf(path, b"/FlateDecode", _deflated(b"BT /F 9 Tf 9 9 Td (a) Tj ET\n"))


def _pdf_double_bomb(path: Path) -> None:
    """Two filters in a row: a few kilobytes that unpack twice."""
    _pdf(path, b"[/FlateDecode/FlateDecode]", zlib.compress(_deflated(b" "), 9))


def _deflated(unit: bytes) -> bytes:
    packer = zlib.compressobj(6)
    block = unit * (archives.BLOCK // len(unit))
    return b"".join(packer.compress(block) for _ in range(archives.BOMB // len(block))) + packer.flush()


def _laughs(root: str) -> bytes:
    """A document type whose last entity means a thousand million laughs."""
    levels = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    return f"<!DOCTYPE {root} [<!ENTITY l0 'ha'>{levels}]>".encode()


def _xml_laughs(path: Path) -> None:
    path.write_bytes(_laughs("r") + b"<r><a>words</a><b>&l9;</b></r>")


def _xml_quadratic(path: Path) -> None:
    entity = b"x" * 100_000
    path.write_bytes(b"<!DOCTYPE r [<!ENTITY e '%s'>]><r><a>words</a>%s</r>" % (entity, b"&e;" * 100_000))


def _xml_external(path: Path) -> None:
    beside = (path.parent / archives.BESIDE).as_uri()
    path.write_text(
        f'<!DOCTYPE r SYSTEM "{beside}" [<!ENTITY e SYSTEM "{beside}"><!ENTITY % p SYSTEM "{beside}">%p;]>'
        f'<r xmlns:i="http://www.w3.org/2001/XInclude"><a>words</a>&e;<i:include href="{beside}" parse="text"/></r>',
        encoding="utf-8",
    )


def _html_external(path: Path) -> None:
    beside = (path.parent / archives.BESIDE).as_uri()
    path.write_text(
        f'<!DOCTYPE html [<!ENTITY e SYSTEM "{beside}">]><html><body><p>words &e;</p><iframe src="{beside}"></iframe>'
        f'<object data="{beside}"></object><link rel="import" href="{beside}"></body></html>',
        encoding="utf-8",
    )


def _deep_html(path: Path) -> None:
    path.write_bytes(b"<html><body>" + b"<div>" * _LEVELS + b"words" + b"</div>" * _LEVELS + b"</body></html>")


def _deep_xml(path: Path) -> None:
    path.write_bytes(b"<r>" + b"<a>" * _LEVELS + b"words" + b"</a>" * _LEVELS + b"</r>")


def _deep_json(path: Path) -> None:
    path.write_bytes(b'{"a":[' * _LEVELS + b'"words"' + b"]}" * _LEVELS)


def _deep_markdown(path: Path) -> None:
    path.write_bytes(b"> " * 20_000 + b"words\n\n" + b"[" * _LEVELS + b"words" + b"](a)" * 1000)


def _deep_mime(path: Path) -> None:
    """Thousands of multiparts, each in the one before."""
    levels = 3000
    opening = "".join(
        f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n' for level in range(levels)
    )
    path.write_text(f"From: a@example.org\r\nSubject: deep\r\n{opening}Content-Type: text/plain\r\n\r\nwords\r\n")


def _deep_mails(path: Path) -> None:
    """A mail on a mail on a mail."""
    path.write_text(
        "From: a@example.org\r\nSubject: deep\r\n"
        + "Content-Type: message/rfc822\r\n\r\nFrom: a@example.org\r\nSubject: deeper\r\n" * 3000
        + "\r\nwords\r\n"
    )


def _picture_bomb(path: Path) -> None:
    """A picture of 900 million points, all white."""
    side = 30_000
    packer = zlib.compressobj(9)
    line = b"\x00" + b"\xff" * (side // 8)
    packed = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    header = side.to_bytes(4, "big") * 2 + b"\x01\x00\x00\x00\x00"
    parts = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
            for name, data in parts
        )
    )


def _sparse(path: Path) -> None:
    """A gigabyte that takes no room on the disk."""
    with path.open("wb") as stream:
        stream.write(b"words\n")
        stream.truncate(1_000_000_000)


def _odd_name(path: Path) -> None:
    path.write_text("words in a file with an odd name", encoding="utf-8")


ATTACKS: tuple[Attack, ...] = (
    Attack("zip bomb", "bomb.zip", archives.zip_bomb),
    Attack("zip with false sizes", "false_size.zip", archives.zip_false_size),
    Attack("zip with overlapping members", "overlap.zip", archives.zip_overlap),
    Attack("gz bomb", "bomb.txt.gz", archives.gz_bomb),
    Attack("bzip2 bomb", "bomb.txt.bz2", archives.bzip2_bomb),
    Attack("xz bomb", "bomb.txt.xz", archives.xz_bomb),
    Attack("nested archives", "nested.zip", archives.nested_archives),
    Attack("nested tar archives", "nested.tar.gz", archives.nested_tars),
    Attack("tar bomb", "bomb.tar.gz", archives.tar_bomb),
    Attack("tar that leaves out gaps", "sparse.tar", archives.tar_sparse),
    Attack("tar with names without end", "names.tar", archives.tar_names),
    Attack("tar path traversal", "traversal.tar", archives.tar_traversal),
    Attack("docx bomb", "bomb.docx", _docx_bomb),
    Attack("docx with entity expansion", "entities.docx", _docx_entities),
    Attack("sheet with a far cell", "far_cell.xlsx", _sheet_far_cell),
    Attack("PDF stream bomb", "bomb.pdf", _pdf_stream_bomb),
    Attack("PDF stream packed twice", "double_bomb.pdf", _pdf_double_bomb),
    Attack("XML entity expansion", "laughs.xml", _xml_laughs),
    Attack("XML quadratic expansion", "quadratic.xml", _xml_quadratic),
    Attack("XML external entity", "external.xml", _xml_external),
    Attack("HTML external files", "external.html", _html_external),
    Attack("archive path traversal", "traversal.zip", archives.traversal),
    Attack("absurdly nested HTML", "deep.html", _deep_html),
    Attack("absurdly nested XML", "deep.xml", _deep_xml),
    Attack("absurdly nested JSON", "deep.json", _deep_json),
    Attack("absurdly nested Markdown", "deep.md", _deep_markdown),
    Attack("absurdly nested MIME", "deep.eml", _deep_mime),
    Attack("mail on a mail on a mail", "deep_mails.eml", _deep_mails),
    Attack("picture bomb", "bomb.png", _picture_bomb),
    Attack("sparse file of 1 GB", "sparse.txt", _sparse),
    Attack("name that misleads the eye", "annual\u202etxt.exe.txt", _odd_name),
)
"""Every attack, in the order of the table."""
