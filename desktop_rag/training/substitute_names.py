"""Makes `assets/substitute_names.json`, the names that stand in for people's: `python -m ….substitute_names`.

Drawn from the locale lists of Faker (MIT, group "train"). A list that is longer than needed is thinned evenly, so
that a second run gives the same file. Names that are more than a name are listed as unfit: they tell whose names they
are, but a stand-in must not be taken for a month, a town or a trade.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from desktop_rag.paths import assets_dir
from desktop_rag.privacy.fold import fold_word
from desktop_rag.privacy.vault import AMBIGUOUS

LOCALES: dict[str, tuple[str, ...]] = {
    "es": ("es_ES", "es_MX"),
    "fr": ("fr_FR",),
    "de": ("de_DE",),
    "it": ("it_IT",),
    "pt": ("pt_PT", "pt_BR"),
    "nl": ("nl_NL",),
    "pl": ("pl_PL",),
    "cs": ("cs_CZ",),
    "sv": ("sv_SE",),
    "da": ("da_DK", "no_NO"),
    "fi": ("fi_FI",),
    "hu": ("hu_HU",),
    "ro": ("ro_RO",),
    "hr": ("hr_HR",),
    "tr": ("tr_TR",),
    "id": ("id_ID",),
    "in": ("en_IN",),
    "ng": ("en_NG", "yo_NG"),
    "en": ("en_US", "en_GB"),
    "ru": ("ru_RU",),
    "uk": ("uk_UA",),
    "bg": ("bg_BG",),
    "el": ("el_GR",),
    "ar": ("ar_SA",),
    "he": ("he_IL",),
    "fa": ("fa_IR",),
    "zh": ("zh_CN",),
    "ja": ("ja_JP",),
    "ko": ("ko_KR",),
}
# Sources of the four lists of a culture. Where surnames have no gender, the last list stays empty.
_LISTS = {
    "male": ("first_names_male",),
    "female": ("first_names_female",),
    "last": ("last_names_male", "last_names", "unisex_last_names"),
    "last_female": ("last_names_female",),
}
_MOST = {"male": 260, "female": 260, "last": 400, "last_female": 250}
_MOST_ENGLISH = {"male": 400, "female": 400, "last": 900, "last_female": 0}
_EVERYDAY = frozenset(
    "abbey abbot abbott alemania amber angel angels april archer aspen august aurora austin autumn avery bach"
    " bailey baker ball banks barber bard barker barn barnes barron bass baum beach bell belle berg berlin best"
    " bianco bird bishop blanc blaze blue blume bond bonn booth bowl bowler bradford branch brandy brick brook"
    " brooke brooks brun buck burgos burn burns busch bush butler cain camp candy cannon carol carpenter carver"
    " case cash castle chambers chance chandler charity charlotte chase chelsea cherry chester child christian"
    " clay clement cliff cline cole colon combs constant consuelo cook cooper cordoba costa cotton cox craft crane"
    " cross cruz crystal cuba curry curtain daisy dale dallas daniels dawn day deacon dean del della delta den"
    " denver der derby desiree destiny diamond diana dick dixie dolly dolores dominic douglas downs drake drew"
    " duke duncan dutch duty earl east easter ebony eden ernest essen eve faith farmer faulkner fay feld fern"
    " ferrari field fields finch fisher fletcher flint florence flower flowers flynn fontaine fontana ford forest"
    " foster fountain fowler fox france francia frank franklin franks frau free freeman french friend frost fuchs"
    " fuller gale gallo gardener gardner garner gates gay gene genesis gentry georgia giles glass glen glenn"
    " glover gold golden good goodman goodwin gore grace graf granada grand grant graves gray greco green grey"
    " griffin groot gross grove guy hahn hall halle ham hammer hammond hand hardy harmony harper hart harvest hase"
    " haus haven hawk hawkins hayes hazel head heath heather heaven henry herr herrmann hickory hicks hill hirsch"
    " hof holder holland holly holmes honey hood hook hooper hope horn house houston hunt hunter hurley hurst"
    " india ingot iris isle israel ivory ivy jack jackson jade jasmine jasper jersey jesus jewel jewell jong"
    " jordan journey joy judge julian june justice kaiser kay keen key kiel kind king kingston kirk kitty klein"
    " knight knox konig kraft kurz könig lake lamb lamm lancaster lance lane lang lark las laurel law lawn lawson"
    " leach lee leeds leon leroy levy liberty lily lima lincoln little lock london long los love low lowe lucky"
    " luna luz lyon mace madison madrid maine major malta mar marble march marina marino mark marks marsh marshall"
    " martini mary mason masters may mayer mayor mead meadows melody mercedes mercer mercy merit mexico milano"
    " miles mill miller mills mint misty monti moody moon moor moore morning moss moulin mount myers myrtle nancy"
    " napoli nash navarro nelson neri newman newton nice nick noble noir norm north norton oak oakley ocean olive"
    " oliver opal orchard orlando pace paddy page paige paint palm palmer paris park parker parks parsons pat"
    " patience patient paul payne paz peach pearl penny perch perry petit pilar piper pitts pool poole pope poppy"
    " porter post potter potts pound powers preston price prince prior pruitt queen rain ramsey randall ranger ray"
    " read redding reed rees reese reeve reeves regan reich rein rhodes rica rice rich richmond richter ridge"
    " riggs river rivers riviere rivière rob robin rock rocky rod rodeo roi roma romano rosario rose rosemary"
    " rosewood rosie rossi rough rousseau roux rowan rowe ruby rush russell russo rusty ryder sage sailor sales"
    " salt sam san sand sanders sandy santa santiago santos savage savannah sawyer scholar scotland scott seal"
    " self sell serenity sergeant sevilla shade shaft sharp shaw shea sheet shelby shell shepard shepherd sheppard"
    " sherry shields short sierra silver singer singleton skinner sky skye slater sloan small smart smith snow sol"
    " sommer south spain sparks spears spence spencer spring stafford stanford stanley star stark steel steele"
    " stein stella sterling stern stock stone storm story street strong sue sullivan summer summers sun sunny"
    " sutton swan sweet sydney tanner tate taylor teal temple terry thorn thorne tiffany tiger todd toledo tony"
    " torino toscano tours tower towers town townsend tracy trinity troy tucker turner tyler underwood union"
    " valencia van vance vaughan venus verde vernon victoria vincent violet virginia vogel von wade wald walker"
    " wall waller walls walsh walter walters ward ware warner warren waters watts wayne weaver webb webber weber"
    " webster wells west weston wheeler white whitehead wilder will williamson willow winter winters wise wolf"
    " wolfe wood woods woodward worth wren wright wynn yates york young zion".split()
)


def names_of(culture: str) -> dict[str, str]:
    """The four lists of a culture, each as one line of words."""
    wanted = _MOST_ENGLISH if culture == "en" else _MOST
    lists = {kind: _thinned(_names(culture, sources), wanted[kind]) for kind, sources in _LISTS.items()}
    if culture == "pl":
        lists["last_female"] = [n[:-1] + "a" if n.endswith(("ski", "cki", "dzki")) else n for n in lists["last"]]
    return {kind: " ".join(names) for kind, names in lists.items()}


def _names(culture: str, sources: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for locale in LOCALES[culture]:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        source = next((s for s in sources if len(getattr(provider, s, ())) > 1), None)
        for name in getattr(provider, source) if source else ():
            if _usable(str(name)):
                found.setdefault(fold_word(str(name)), str(name))
    return [found[folded] for folded in sorted(found)]


def _usable(name: str) -> bool:
    """Whether it is one word, written as a name."""
    if not name.isalpha():
        return False
    if name.upper() == name.lower():  # a script without capitals
        return True
    return len(name) > 2 and name.istitle()


def _thinned(names: list[str], most: int) -> list[str]:
    return [names[i * len(names) // most] for i in range(most)] if len(names) > most else names


def write(path: Path) -> None:
    """Write the asset."""
    content = {
        "source": f"Faker {version('faker')}, MIT, Copyright (c) 2012 Daniele Faraglia",
        "unfit": " ".join(sorted(_EVERYDAY | AMBIGUOUS)),
        "names": {culture: names_of(culture) for culture in LOCALES},
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(assets_dir() / "substitute_names.json")
