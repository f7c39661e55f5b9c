"""Documents full of addresses are read without asking anybody: no picture, style, template or entity is fetched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from docx import Document
from openpyxl import Workbook  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.model import Page
from desktop_rag.documents.read import read

pytestmark = pytest.mark.loopback
SECRET = "TOP SECRET 4711"


def html(web: str, file: str) -> str:
    return (
        f'<!DOCTYPE html SYSTEM "{web}/x.dtd" [<!ENTITY e SYSTEM "{file}"><!ENTITY w SYSTEM "{web}/entity">]>'
        f'<html xmlns:xi="http://www.w3.org/2001/XInclude"><head><base href="{web}/"><meta http-equiv="refresh" '
        f'content="0;url={web}/r"><link rel="stylesheet" href="a.css"><style>@import url({web}/s.css);</style></head>'
        f'<body background="{web}/b.png"><p>Words &e; &w;</p><img src="{web}/i.png" srcset="{web}/j.png 2x">'
        f'<iframe src="{web}/f"></iframe><object data="{web}/o"></object><embed src="{file}"><video poster="{web}/v">'
        f'</video><svg><image href="{web}/s.png"/></svg><xi:include href="{file}" parse="text"/>'
        f'<a href="{web}/link" ping="{web}/ping">link</a><script src="{web}/x.js"></script></body></html>'
    )


def made_html(_folder: Path, web: str, file: str) -> bytes:
    return html(web, file).encode()


def made_markdown(_folder: Path, web: str, file: str) -> bytes:
    pictures = f"![p]({web}/p.png) ![f]({file}) <img src='{web}/i.png'>"
    return f"# Words\n\n{pictures}\n\n[r]: {web}/r\n\n!include {file}".encode()


def made_mail(_folder: Path, web: str, file: str) -> bytes:
    head = f"From: a@b.org\nSubject: Words\nList-Unsubscribe: <{web}/u>\nDisposition-Notification-To: a@b.org\n"
    external = f'Content-Type: message/external-body; access-type=URL; URL="{web}/e"\n\nContent-Type: text/plain\n\n'
    return (
        f'{head}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/html\n\n'
        f"{html(web, file)}\n--b\n{external}\n--b--\n"
    ).encode()


def made_xml(_folder: Path, web: str, file: str) -> bytes:
    return (
        f'<?xml version="1.0"?><?xml-stylesheet href="{web}/x.xsl"?><!DOCTYPE r SYSTEM "{web}/r.dtd" '
        f'[<!ENTITY e SYSTEM "{file}"><!ENTITY % p SYSTEM "{web}/p"> %p;]><r xsi:schemaLocation="a {web}/a.xsd" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">Words &e;</r>'
    ).encode()


def made_svg(folder: Path, web: str, file: str) -> bytes:
    return made_xml(folder, web, file).replace(b"<r ", b"<svg ").replace(b"</r>", b"</svg>")


def made_docx(folder: Path, web: str, file: str) -> bytes:
    document = Document()
    document.add_paragraph("Words")
    for kind in ("image", "attachedTemplate", "hyperlink", "oleObject", "frame", "subDocument"):
        relation = f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"
        for target in (f"{web}/{kind}", file, r"\\127.0.0.1\share\x"):
            document.part.relate_to(target, relation, is_external=True)
    document.save(str(folder / "made.docx"))
    return (folder / "made.docx").read_bytes()


def made_xlsx(folder: Path, web: str, file: str) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"] = "Words", f'=WEBSERVICE("{web}/ws")'
    sheet["A3"], sheet["A4"] = f'=IMAGE("{web}/image.png")', f"='{file}'#$Sheet1.A1"
    sheet["A5"].hyperlink = f"{web}/link"
    sheet["A6"] = r"='\\127.0.0.1\share\[book.xlsx]Sheet1'!A1"
    book.save(folder / "made.xlsx")
    return (folder / "made.xlsx").read_bytes()


def made_epub(_folder: Path, web: str, file: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        kind = 'media-type="application/xhtml+xml"'
        archive.writestr(
            "a.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
            f'<item id="c" href="c.xhtml" {kind}/><item id="r" href="{web}/remote.xhtml" {kind}/></manifest>'
            '<spine><itemref idref="c"/><itemref idref="r"/></spine></package>',
        )
        page = f'<p>Words</p><img src="{web}/i.png"/><object data="{file}"/>'
        archive.writestr("c.xhtml", f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{page}</body></html>')
    return buffer.getvalue()


def made_pdf(folder: Path, web: str, file: str) -> bytes:
    canvas = Canvas(str(folder / "made.pdf"), invariant=1)
    canvas.drawString(72, 720, "Words")
    canvas.linkURL(f"{web}/link", (72, 700, 200, 720))
    canvas.linkURL(file, (72, 600, 200, 620))
    canvas.save()
    return (folder / "made.pdf").read_bytes()


def made_rtf(_folder: Path, web: str, file: str) -> bytes:
    field = rf'{{\field{{\*\fldinst INCLUDEPICTURE "{web}/p.png" \\d}}{{\fldrslt Words}}}}'
    return rf'{{\rtf1\ansi {field}{{\field{{\*\fldinst INCLUDETEXT "{file}"}}{{\fldrslt more}}}}}}'.encode()


def made_notebook(_folder: Path, web: str, file: str) -> bytes:
    source = f"Words ![p]({web}/p.png) <img src='{file}'>"
    cell = {"cell_type": "markdown", "metadata": {}, "source": source}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


MADE: dict[str, Callable[[Path, str, str], bytes]] = {
    "html": made_html, "md": made_markdown, "eml": made_mail, "xml": made_xml, "svg": made_svg, "docx": made_docx,
    "xlsx": made_xlsx, "epub": made_epub, "pdf": made_pdf, "rtf": made_rtf, "ipynb": made_notebook, "mhtml": made_mail,
}  # fmt: skip


@pytest.mark.parametrize("kind", MADE)
def test_reading_a_document_asks_nobody_and_opens_no_other_file(
    kind: str, server: SimpleNamespace, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    path = tmp_path / f"document.{kind}"
    path.write_bytes(MADE[kind](tmp_path, server.url, secret.as_uri()))
    found = "\n".join(part.text for part in read(path) if isinstance(part, Page))
    assert "Words" in found, "else nothing was read"
    assert SECRET not in found
    assert server.hits == []
