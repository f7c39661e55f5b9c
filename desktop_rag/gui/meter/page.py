"""The performance page behind the meter strip: what the last answer took, where, and what would make it faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_rag.gui import words
from desktop_rag.gui.backend import Backend, Event
from desktop_rag.gui.meter.memory_panel import MemoryPanel
from desktop_rag.gui.meter.plot import SpeedPlot
from desktop_rag.gui.meter.readings import process_ids, read
from desktop_rag.gui.meter.stages_panel import StagesPanel
from desktop_rag.gui.meter.telemetry import Telemetry
from desktop_rag.gui.meter.tiles import Tiles
from desktop_rag.gui.models.arithmetic import Fact
from desktop_rag.gui.models.fact_rows import FactRows
from desktop_rag.gui.pieces.bars import Part, PartsBar
from desktop_rag.gui.pieces.buttons import TextButton
from desktop_rag.gui.pieces.labels import ElidedLabel, label, set_kind
from desktop_rag.gui.pieces.panel import FoldingGrid, Panel
from desktop_rag.gui.pieces.scrolling import scrolling_column
from desktop_rag.gui.tasks import Task, Tasks
from desktop_rag.gui.theme import Theme

_READ_MS = 1000
_PAINT_MS = 250
Advice = Callable[[Event, list[Event], dict[str, Any]], Event]


class PerformancePage(QWidget):
    """Fed by `Telemetry`; reads the processes itself while it is on the screen."""

    bench_wanted = Signal()

    def __init__(
        self, theme: Theme, backend: Backend, tasks: Tasks, telemetry: Telemetry, advise: Advice | None = None
    ) -> None:
        super().__init__()
        set_kind(self, "page")
        self._theme, self._backend, self._tasks, self._telemetry = theme, backend, tasks, telemetry
        self._advise = advise
        self._reading: Task | None = None
        self._stale = True
        self._about = ElidedLabel("No model is loaded yet.", tone="muted")
        self.tiles = Tiles(theme)
        self.plot = SpeedPlot(theme)
        self.stages = StagesPanel(theme)
        self.memory = MemoryPanel(theme)
        self.context = Panel("Context")
        self._used = PartsBar(theme, "Context", 12)
        self._used_words = label("", "small", "muted", wrap=True)
        self.energy = Panel("Energy and tokens")
        self.facts = FactRows(theme)
        self.why = Panel("Why is it this fast?")
        self._why = FactRows(theme)
        self.faster = Panel("Make it faster")
        self._levers = FactRows(theme)
        self._build()
        self._paint = _timer(self, _PAINT_MS, self._refresh)
        self._read = _timer(self, _READ_MS, self._ask)
        telemetry.moved.connect(self._mark)
        telemetry.ended.connect(self._ended)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(label("Performance", "title"))
        head.addStretch(1)
        self.benchmark = TextButton(self._theme, "Benchmark", self.bench_wanted.emit, icon="chart-column")
        head.addWidget(self.benchmark)
        live = Panel("The answer as it was written")
        live.body.addWidget(self.plot)
        self.context.body.addWidget(self._used)
        self.context.body.addWidget(self._used_words)
        self.energy.body.addWidget(self.facts)
        self.why.body.addWidget(self._why)
        self.faster.body.addWidget(self._levers)
        column = scrolling_column(self, "Performance")
        column.addLayout(head)
        column.addWidget(self._about)
        column.addWidget(self.tiles)
        column.addWidget(live)
        column.addWidget(FoldingGrid((self.stages, self.memory, self.why, self.faster, self.context, self.energy)))
        column.addStretch(1)
        self.show_advice({})
        self._refresh()

    # -- content -------------------------------------------------------------------------------

    def _mark(self) -> None:
        self._stale = True

    def _refresh(self) -> None:
        """Show what is known; at most four times a second."""
        if not self._stale:
            return
        self._stale = False
        telemetry = self._telemetry
        past = list(telemetry.past)
        live = telemetry.running and not telemetry.now.done
        trace = telemetry.now if live else telemetry.last
        before = (past[-1] if live and past else past[-2] if len(past) > 1 else None) if trace else None
        self.tiles.show_trace(trace)
        self.plot.show_trace(trace, before)
        self._about.setText(model_words(telemetry.model))
        done = telemetry.last.done if telemetry.last else {}
        self.stages.show_answer(done)
        self._show_context(done.get("usage") or {})
        self.facts.show_rows(token_facts(done))

    def _show_context(self, usage: Mapping[str, Any]) -> None:
        total = usage.get("context") or self._telemetry.model.get("context")
        used = int(usage.get("context_used") or 0)
        if not total:
            self._used_words.setText("Not known yet.")
            return
        free = max(0, int(total) - used)
        self._used.show_parts([
            Part("Used", used, words.count(used), "accent", 1.0), Part("Free", free, words.count(free), "line", 0.0)
        ])  # fmt: skip
        self.context.about.setText(f"{words.count(used)} of {words.count(int(total))} tokens")
        shifted = int(usage.get("shifted") or 0)
        self._used_words.setText(
            f"{words.count(shifted)} of the oldest tokens fell out of it." if shifted else "Nothing had to be left out."
        )

    def _ended(self) -> None:
        last = self._telemetry.last
        if self._advise is None or last is None:
            return
        record, earlier = last.done, [trace.done for trace in self._telemetry.past]
        advise, model = self._advise, dict(self._telemetry.model)
        self._tasks.call(lambda: advise(record, earlier, model), self.show_advice)

    def show_advice(self, advice: Event) -> None:
        """`why` and `faster`: rows of {name, value, text}."""
        for panel, rows, nothing in (
            (self._why, advice.get("why"), "Ask something first: the reasons come from the last answer."),
            (self._levers, advice.get("faster"), "Nothing to suggest yet."),
        ):
            panel.show_rows(
                [Fact(str(row["name"]), str(row.get("value") or ""), str(row.get("text") or "")) for row in rows]
                if rows
                else [Fact(nothing, "")]
            )

    # -- processes -----------------------------------------------------------------------------

    def _ask(self) -> None:
        if self._reading is None:
            pids = process_ids(self._backend)
            self._reading = self._tasks.call(lambda: read(pids), self._take)
            self._reading.finished.connect(self._read_over)

    def _read_over(self) -> None:
        self._reading = None

    def _take(self, reading: Event) -> None:
        self.memory.show_reading(reading, self._telemetry.model)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to measure."""
        super().showEvent(event)
        self._stale = True
        self._refresh()
        self._ask()
        self._paint.start()
        self._read.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop measuring."""
        super().hideEvent(event)
        self._paint.stop()
        self._read.stop()


def model_words(model: Mapping[str, Any]) -> str:
    """The loaded model in one line: name, engine, options, device, threads."""
    if not model.get("model"):
        return "No model is loaded yet."
    layers, on_card = int(model.get("layers") or 0), int(model.get("gpu_layers") or 0)
    parts = (
        str(model.get("name") or model["model"]),
        str(model.get("engine") or ""),
        str(model.get("options") or ""),
        words.device(model.get("device")),
        f"{on_card} of {layers} layers on the graphics card" if layers and on_card else "",
        words.plural(int(model["threads"]), "thread") if model.get("threads") else "",
    )
    return " · ".join(part for part in parts if part)


def token_facts(done: Mapping[str, Any]) -> Sequence[Fact]:
    """Tokens written, copied from the passages, and the energy where the machine tells it."""
    usage = done.get("usage") or {}
    if not usage.get("generated_tokens"):
        return [Fact("Not measured yet.", "")]
    drafted, accepted = int(usage.get("drafted") or 0), int(usage.get("accepted") or 0)
    joules = done.get("energy_j")
    rows = [
        Fact("Read", words.plural(int(usage.get("prompt_tokens") or 0), "token")),
        Fact("Still known from before", words.plural(int(usage.get("reused_tokens") or 0), "token")),
        Fact("Written", words.plural(int(usage["generated_tokens"]), "token")),
    ]
    if drafted:
        rows.append(Fact("Copied from the passages", f"{words.count(accepted)} of {words.count(drafted)} tried"))
    rows.append(
        Fact("Energy", f"{joules:.1f} J", "Of processor and graphics card while it answered.")
        if joules
        else Fact("Energy", "—", "This machine does not tell.")
    )
    return rows


def _timer(page: QWidget, milliseconds: int, then: Callable[[], None]) -> QTimer:
    timer = QTimer(page)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer
