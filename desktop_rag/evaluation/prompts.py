"""The texts that are measured with: fixed, harmless, our own, so that runs can be compared.

`DIGEST` names them in a record: two records with the same digest asked the same.
"""

from __future__ import annotations

import hashlib
import json

WARM_UP = "Name three things that are found in a kitchen."
QUESTIONS = (
    "Explain in a few sentences why the sky is blue.",
    "What should a beginner know before planting tomatoes in a small garden?",
    "Describe how a bicycle stays upright while it is moving.",
    "Write a short letter that thanks a neighbour for lending a ladder.",
    "What are the advantages and disadvantages of working at night?",
    "Tell me how bread is made, from the grain to the loaf.",
)
# Talk without a source to copy from.
CHAT = (
    "Write a short story about a lighthouse keeper who finds a map.",
    "Give me some advice on learning to swim as an adult.",
    "Why do people like music? Give several reasons.",
    "Describe a market square early in the morning.",
)
LONG = "Write a long and detailed story about a journey by boat along a great river, with many chapters."

_SHIPS = (
    "The ferry Halcyon was launched at Carrick on 14 March 1931 and carried 212 passengers in two decks. Her first "
    "master was Captain Edith Varley, who stayed with the ship for nineteen years. In the winter of 1947 the harbour "
    "froze for eleven days and the Halcyon was the only vessel that could reach the island of Sorne. She was fitted "
    "with a diesel engine of 840 horsepower in 1952, and her wooden wheelhouse was replaced by one of steel. After "
    "her last crossing on 30 September 1968 she was sold to a museum for the sum of 9,400 pounds."
)
_PUMP = (
    "To service the Zenith pump, close the inlet valve and wait until the pressure gauge shows zero. Remove the four "
    "bolts of the cover with a 13 mm spanner and lift the cover straight up. Take out the old seal, clean the groove "
    "with a dry cloth, and press the new seal in evenly. Put the cover back, tighten the bolts crosswise to 25 newton "
    "metres, and open the inlet valve slowly. The pump may be started again when no water drips for five minutes."
)
_WOOD = (
    "The oak wood at Penhallow covers 46 hectares on the north side of the valley. The oldest trees were planted "
    "before 1720, when the estate belonged to a family of shipbuilders. Every third autumn the keepers count the "
    "dormice in 120 nest boxes; in the last count 38 of them were inhabited. Visitors may walk on the marked paths "
    "from April to October, and dogs must be kept on a lead. The small bridge over the stream was rebuilt in 2016 "
    "with timber from the wood itself."
)
_PARTS = ("gearbox", "conveyor", "boiler", "crane", "lathe", "compressor", "furnace", "mixer", "press", "winch")
_PLACES = ("the north hall", "the paint shop", "the yard", "building seven", "the river dock", "the test stand")
_FAULTS = ("a worn bearing", "a loose belt", "a cracked flange", "a blocked filter", "a leaking seal", "a dull blade")
_DEEDS = ("was replaced", "was cleaned and refitted", "was measured and left in place", "was ordered from the supplier")
_SENTENCES = 36


def passages() -> list[dict[str, str]]:
    """Two passages of a workshop's log, about 2,000 tokens together: the sources of one question."""
    return [{"text": _log(start), "context": f"Workshop log, part {part}"} for part, start in ((1, 0), (2, _SENTENCES))]


FIRST_QUESTION = "What was found at the lathe in the yard?"
NEXT_QUESTION = "Which machine had a blocked filter?"


def _log(start: int) -> str:
    return " ".join(_entry(number) for number in range(start, start + _SENTENCES))


def _entry(number: int) -> str:
    part, place = _PARTS[number % len(_PARTS)], _PLACES[number % len(_PLACES)]
    fault, deed = _FAULTS[(number * 5 + 1) % len(_FAULTS)], _DEEDS[number % len(_DEEDS)]
    return f"Day {number + 1}: the {part} in {place} had {fault}, which {deed} after {10 + number * 7 % 50} minutes."


def _quoting(shown: str, asked: str) -> tuple[dict[str, str], ...]:
    """A conversation in which one text was quoted and another is asked for: small models follow an example best."""
    wish = "Repeat: {}"
    return (
        {"role": "user", "content": wish.format("The door is green.")},
        {"role": "assistant", "content": "The door is green."},
        {"role": "user", "content": wish.format(shown)},
        {"role": "assistant", "content": shown},
        {"role": "user", "content": wish.format(asked)},
    )


_TEXTS = (
    "The tenant pays the rent on the third working day of every month. If the rent is late by more than ten days, the "
    "landlord may ask for a fee of fifteen euros. The deposit of three monthly rents lies in a separate account and is "
    "paid back with interest when the flat is returned clean and undamaged.",
    "The library opens at nine in the morning and closes at six in the evening. On Saturdays it closes at noon. Books "
    "may be kept for four weeks, films for one week. Readers who need more time can ask at the desk or by telephone, "
    "as long as nobody else is waiting for the same book.",
    "The works council met on Tuesday to discuss the new shift plan. The night shift will begin one hour later than "
    "before, and the break will be paid. Workers who travel by train asked for a bus from the station to the gate. "
    "The management promised an answer before the end of the month.",
    "The patient was admitted with a fever and a cough that had lasted for nine days. An X-ray of the chest showed a "
    "shadow in the lower left lung. She was given an antibiotic for seven days and was sent home when the fever had "
    "gone. A second X-ray after six weeks was clear.",
)
_SHORT = "The museum is closed on Mondays. Children under twelve enter free of charge."
# Requests to quote, with the text that is to be quoted. Not every model can: only answers that really are
# quotations count (`copied_share`), whatever their speed.
EXTRACTIVE = tuple((_quoting(_SHORT, text), text) for text in (*_TEXTS, _WOOD, _SHIPS, _PUMP))
IS_QUOTATION = 0.8
_STRETCH = 6


def copied_share(answer: str, source: str) -> float:
    """The share of an answer's words that stand in stretches of at least six words taken from `source`."""
    words, text = answer.split(), f" {' '.join(source.split())} "
    copied: set[int] = set()
    for at in range(len(words) - _STRETCH + 1):
        if f" {' '.join(words[at : at + _STRETCH])} " in text:
            copied.update(range(at, at + _STRETCH))
    return len(copied) / len(words) if words else 0.0


DIGEST = hashlib.sha256(
    json.dumps([WARM_UP, QUESTIONS, CHAT, LONG, EXTRACTIVE, passages(), FIRST_QUESTION, NEXT_QUESTION]).encode()
).hexdigest()
