"""The Benchmark page: measure every engine on this machine, compare, look at earlier runs, take the numbers along."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from desktop_rag.engines.registry import ENGINES
from desktop_rag.errors import DesktopRagError
from desktop_rag.evaluation.bench import table
from desktop_rag.gui import words as common
from desktop_rag.gui.bench import words
from desktop_rag.gui.bench.bar_plot import Bar, BarPlot
from desktop_rag.gui.bench.state import BenchState
from desktop_rag.gui.bench.tables import ProbeTable, ResultTable
from desktop_rag.gui.pieces.bars import ProgressLine
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.controls import Choice, Tick
from desktop_rag.gui.pieces.labels import ElidedLabel, label, set_kind
from desktop_rag.gui.pieces.notice import Notice
from desktop_rag.gui.pieces.panel import FoldingGrid, Panel
from desktop_rag.gui.pieces.scrolling import scrolling_column
from desktop_rag.gui.theme import Theme
from desktop_rag.store.files import write_private

_ABOUT = (
    "Every engine answers the same questions with the model that is chosen. It takes some minutes, nothing is sent "
    "anywhere, and it can be stopped at any time."
)


class BenchPage(QWidget):
    """Shows a `BenchState`."""

    shown = Signal()
    quality_wanted = Signal()

    def __init__(self, theme: Theme, state: BenchState) -> None:
        super().__init__()
        set_kind(self, "page")
        self._theme, self._state = theme, state
        self.ticks = {name: Tick(theme, name) for name in ENGINES}
        self.run = TextButton(theme, "Run", self._run, kind="primary", icon="play")
        self.probe = TextButton(theme, "Try them out", self._probe, icon="list-checks")
        self.notice = Notice(theme, closable=True)
        self._line = ProgressLine(theme, "Progress of the benchmark")
        self._doing = ElidedLabel("", "small", "muted")
        self.results = ResultTable(theme)
        self.records = Choice(theme)
        self.records.setAccessibleName("Run to show")
        self.records.setMinimumWidth(200)
        self.copy = TextButton(theme, "Copy as text", self.copy_text, kind="quiet", icon="copy")
        self.save = TextButton(theme, "Save as JSON…", self._choose_file, kind="quiet", icon="download")
        self.speed = BarPlot(theme, "Average tok/s")
        self.first = BarPlot(theme, "Seconds to the first token", low=True)
        self.peak = BarPlot(theme, "Peak memory", low=True)
        self.share = BarPlot(theme, "Share of the limit", whole=1.0)
        self.probes = ProbeTable(theme)
        self._build()
        state.changed.connect(self._refresh)
        state.failed.connect(self._failed)
        self.records.activated.connect(self._choose)
        self._refresh()

    def _build(self) -> None:
        column = scrolling_column(self, "Benchmark")
        head = QHBoxLayout()
        head.addWidget(label("Benchmark", "title"))
        head.addStretch(1)
        head.setSpacing(8)
        head.addWidget(TextButton(self._theme, "Search quality", self.quality_wanted.emit, kind="quiet", icon="search"))
        head.addWidget(self.run)
        column.addLayout(head)
        column.addWidget(label(_ABOUT, tone="muted", wrap=True))
        column.addLayout(self._choices())
        column.addWidget(self._doing)
        column.addWidget(self._line)
        column.addWidget(self.notice)
        column.addWidget(self._result_panel())
        self._plots = FoldingGrid([
            _plot_panel("Speed", "tok/s, higher is better", self.speed),
            _plot_panel("First token", "seconds, lower is better", self.first),
            _plot_panel("Memory", "peak of its process, lower is better", self.peak),
            _plot_panel("Of this machine's limit", "per cent, higher is better", self.share),
        ])  # fmt: skip
        column.addWidget(self._plots)
        column.addWidget(self._probe_panel())
        column.addStretch(1)

    def _choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        for tick in self.ticks.values():
            tick.setChecked(True)
            tick.toggled.connect(self._refresh)
            row.addWidget(tick)
        row.addStretch(1)
        return row

    def _result_panel(self) -> Panel:
        panel = Panel("Results")
        self._machine = panel.about
        bar = QHBoxLayout()
        bar.addWidget(self.records)
        bar.addStretch(1)
        bar.addWidget(self.copy)
        bar.addWidget(self.save)
        self._doubt = label("", "small", "muted", wrap=True)
        self._nothing = label("Nothing was measured yet. Choose the engines and press Run.", tone="muted", wrap=True)
        panel.body.addLayout(bar)
        panel.body.addWidget(self._nothing)
        panel.body.addWidget(self.results)
        panel.body.addWidget(self._doubt)
        return panel

    def _probe_panel(self) -> Panel:
        panel = Panel("What engines can do", "A tick is earned by trying. Point at one to see by what.")
        row = QHBoxLayout()
        self._untried = label("Not tried on this machine yet.", tone="muted")
        row.addWidget(self._untried)
        row.addStretch(1)
        row.addWidget(self.probe)
        panel.body.addWidget(self.probes)
        panel.body.addLayout(row)
        return panel

    # -- content -------------------------------------------------------------------------------

    def _refresh(self) -> None:
        state = self._state
        running = state.running
        self.run.say("Stop" if running else "Run")
        self.run.set_kind("" if running else "primary")
        self.run.show_icon("square" if running else "play", "text" if running else "on_accent")
        self.run.setEnabled(not state.stopping and (running or bool(self.chosen)))
        self.probe.setEnabled(not running and bool(self.chosen))
        for tick in self.ticks.values():
            tick.setEnabled(not running)
        self._line.setVisible(running)
        self._line.set_share(state.share)
        self._doing.setVisible(running)
        self._doing.setText("Stopping after this step…" if state.stopping else f"{_doing(state.kind)} {state.text}")
        self._show_report()
        self._show_records()
        self.probes.show_engines(state.engines)
        self._untried.setVisible(not state.engines)

    def _show_report(self) -> None:
        report = self._state.report
        rows, skipped = list(report.get("rows") or []), list(report.get("skipped") or [])
        self.results.show_rows(rows, skipped)
        self.results.setVisible(bool(rows or skipped))
        self._nothing.setVisible(not rows and not skipped)
        self._plots.setVisible(bool(rows))
        for export in (self.copy, self.save):
            export.setEnabled(bool(rows))
            export.setVisible(bool(rows))
        machine = report.get("machine") or {}
        self._machine.setText(_machine(machine))
        self._doubt.setText(str(machine.get("flag") or ""))
        self._doubt.setVisible(bool(rows and machine.get("flag")))
        self.speed.show_bars([_bar(row, "avg_tok_s", spread="std_tok_s") for row in rows])
        self.first.show_bars([_bar(row, "ttft_s", digits=2) for row in rows])
        self.peak.show_bars([
            Bar(_name(row), row.get("peak_rss_mb"), common.memory(row.get("peak_rss_mb"))) for row in rows
        ])  # fmt: skip
        self.share.show_bars([
            Bar(_name(row), row.get("roofline_fraction"), words.percent(row.get("roofline_fraction"))) for row in rows
        ])  # fmt: skip

    def _show_records(self) -> None:
        names = [words.record_name(record) for record in self._state.earlier]
        if [self.records.itemText(place) for place in range(self.records.count())] != names:
            self.records.clear()
            self.records.addItems(names)
        self.records.setVisible(bool(names) and not self._state.running)

    @property
    def chosen(self) -> list[str]:
        """The engines that are ticked."""
        return [name for name, tick in self.ticks.items() if tick.isChecked()]

    # -- actions -------------------------------------------------------------------------------

    def _run(self) -> None:
        self.notice.hide()
        if self._state.running:
            self._state.stop()
        else:
            self._state.run(self.chosen)

    def _probe(self) -> None:
        self.notice.hide()
        self._state.probe(self.chosen)

    def _choose(self, place: int) -> None:
        self._state.show(self._state.earlier[place])

    def _failed(self, error: DesktopRagError) -> None:
        self.notice.say_error(error)

    def copy_text(self) -> None:
        """Put the table on the clipboard."""
        report = self._state.report
        QGuiApplication.clipboard().setText("\n".join(table(report.get("rows") or [], report.get("skipped") or [])))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Save the benchmark", "benchmark.json", "JSON (*.json)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    def export(self, path: str) -> None:
        """Write the report that is shown to a file."""
        try:
            write_private(Path(path), words.exported(self._state.report).encode())
        except DesktopRagError as error:
            self.notice.say_error(error)
        else:
            self.notice.say("The report is saved.", kind="calm")

    def showEvent(self, event: QShowEvent) -> None:
        """Earlier runs are read when somebody looks."""
        super().showEvent(event)
        self._state.read_records()
        self.shown.emit()


def _plot_panel(title: str, about: str, plot: BarPlot) -> Panel:
    panel = Panel(title, about)
    panel.body.addWidget(plot)
    return panel


def _name(row: dict[str, Any]) -> str:
    return " · ".join(str(row[key]) for key in ("platform", "options") if row.get(key))


def _bar(row: dict[str, Any], key: str, *, spread: str = "", digits: int = 1) -> Bar:
    return Bar(_name(row), row.get(key), words.decimal(row.get(key), digits), float(row.get(spread) or 0))


def _doing(kind: str) -> str:
    return "Trying out" if kind == "probe" else "Measuring"


def _machine(machine: Mapping[str, Any]) -> str:
    parts = [str(machine.get("cpu") or "")]
    if machine.get("cores"):
        parts.append(common.plural(int(machine["cores"]), "core"))
    if machine.get("read_gbs"):
        parts.append(f"{machine['read_gbs']:.1f} GB/s")
    return " · ".join(part for part in parts if part)
