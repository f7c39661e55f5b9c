"""Nationalities and creeds: English capitalised words, and in every language what a form calls them."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns.pattern import COLON, Pattern, cues, either

_PEOPLES = (
    "afghan albanian algerian american andorran angolan argentine argentinian armenian australian austrian azerbaijani"
    " bahraini bangladeshi barbadian belarusian belgian belizean bolivian bosnian botswanan brazilian british briton"
    " bulgarian burmese burundian cambodian cameroonian canadian chechen chilean chinese colombian congolese croatian"
    " croat cuban cypriot czech dane danish dominican dutch ecuadorian egyptian english eritrean estonian ethiopian"
    " european filipino finn finnish french frenchman frenchwoman gabonese gambian georgian german ghanaian greek"
    " guatemalan guinean guyanese haitian honduran hungarian icelander icelandic indian indonesian iranian iraqi irish"
    " irishman israeli italian ivorian jamaican japanese jordanian kazakh kenyan korean kosovan kurd kurdish kuwaiti"
    " kyrgyz lao latvian lebanese liberian libyan lithuanian luxembourgish macedonian malagasy malawian malaysian"
    " malian maltese mauritanian mauritian mexican moldovan mongolian montenegrin moroccan mozambican namibian"
    " nepalese nepali nicaraguan nigerian nigerien norwegian omani pakistani palestinian panamanian paraguayan"
    " peruvian pole polish portuguese qatari romani romanian russian rwandan salvadoran saudi scot scottish senegalese"
    " serb serbian singaporean slovak slovakian slovene slovenian somali spaniard spanish sudanese surinamese swede"
    " swedish swiss syrian taiwanese tajik tanzanian thai togolese tunisian turk turkish turkmen ugandan ukrainian"
    " uruguayan uzbek venezuelan vietnamese welsh yemeni zambian zimbabwean"
)
_CREEDS = (
    "muslim catholic protestant hindu buddhist sikh jew jewish orthodox christian atheist mormon anglican methodist"
)
_NAMES = (
    "nationality, citizenship, ethnicity, religion, staatsangehörigkeit, nationalität, staatsbürgerschaft, konfession,"
    " nationalité, citoyenneté, religión, nacionalidad, ciudadanía, cittadinanza, nazionalità, religione,"
    " nationaliteit, godsdienst, narodowość, narodowości, obywatelstwo, obywatelstwa, wyznanie"
)
_LISTED = f"{_PEOPLES} {_CREEDS}"
_PLURAL = " ".join(f"{word}s" for word in _LISTED.split() if not word.endswith(("s", "ese", "ish", "ch", "man")))
# The languages and things that bear a people's name tell of no person.
_NOT_PEOPLE = r"(?![ \u00a0-](?i:language|translation|version|text|edition|literature|dictionary|keyboard|law)(?!\w))"

PATTERNS = (
    Pattern("NRP", re.compile(rf"[A-Z][A-Za-z]+(?!\w){_NOT_PEOPLE}"), 0.5, cues(f"{_LISTED} {_PLURAL}")),
    Pattern(
        "NRP",
        re.compile(rf"{either(_NAMES.split(', '))}[ ]?:{COLON}(?P<value>[^\W\d_]{{3,20}})(?!\w)"),
        0.8,
        cues(_NAMES.replace(",", "")),
    ),
)
