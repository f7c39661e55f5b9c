"""The turns of phrase by which a text addresses the model that reads it, in English and seven other languages. Pure.

They are matched against `folded` text: no diacritics, one space between words, letters of either case.
Every rule names words of which one must be there at all, so that an ordinary passage costs next to nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_SHORT = 3
# Where a source asks for capitals.
_CAPITALS = "(?-i:"


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of addressing a model; `needs`: small-letter words of which one must stand in the sentence.

    Those of two or three letters must stand there as words of their own: most of them are in a part of some word.
    """

    name: str
    needs: tuple[str, ...]
    source: str

    def may_match(self, small: str) -> bool:
        """Whether a folded text in small letters holds what it needs."""
        long, short = _needed(self.needs)
        return any(word in small for word in long) or (short is not None and short.search(small) is not None)

    def matches(self, sentence: str, small: str) -> bool:
        """Whether a folded sentence, which is also given in small letters, holds it, its `needs` aside."""
        return _in_small(self.source).search(small) is not None and (
            _CAPITALS not in self.source or _compiled(self.source).search(sentence) is not None
        )


@cache
def _needed(needs: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str] | None]:
    """The needs that are looked for anywhere, and those that are words."""
    short = [word for word in needs if len(word) <= _SHORT and word.isalpha()]
    words = re.compile(rf"\b(?:{'|'.join(short)})s?\b") if short else None
    return tuple(word for word in needs if word not in short), words


@cache
def _in_small(source: str) -> re.Pattern[str]:
    """What finds it in small letters, several times as fast as without regard to case; capitals count as any letter."""
    return re.compile(source.replace(_CAPITALS, "(?:").replace("A-Z", "a-z"))


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)


def _rule(name: str, needs: str, *patterns: str) -> Rule:
    return Rule(name, tuple(needs.split("|")), "|".join(patterns))


# Where an order begins: at the start of a clause, or after what leads up to one.
_BEGIN = (
    r"(?:^|[.!?:;,…\"“„«(\[*#>-]\s*|\b(?:please|kindly|bitte|must|should|will|now|then|so|therefore|instead|and|und|et"
    r"|y|e|en|i|to|also|just|simply|s'il te plait|por favor|per favore|prosze|dus|wiec|donc|quindi|entonces|darum|also"
    r"|you may|you can)\s)"
)
_BEFORE = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|before|former|original|initial|existing|all|any|every|your"
    r"|you (?:were|have|had|received|got)|given|system|hidden"
    r"|alle[nrs]?|samtliche[nr]?|obige[nrs]?|oben\w*|vorherig\w+|bisherig\w+|fruher\w*|vorangegangen\w+"
    r"|vorstehend\w+|deine[nr]?"
    r"|tou(?:te)?s|precedent\w*|ci-dessus|anterieur\w*|(?:qui )?preced\w*|te[ns]|vos|recues"
    r"|todas?|todos|previ[ao]s?|anterior(?:es)?|tus|sus|recibi\w+|de arriba"
    r"|tutt[ei]|precedent[ei]|sopra|prima|tue|ricevut\w+"
    r"|eerdere?|vorige|voorgaande|bovenstaande|hierboven|je|jouw|uw|gekregen"
    r"|wszystki\w+|poprzedni\w+|wczesniej\w*|powyzsz\w+|dotychczasow\w+|swo\w+|otrzyma\w+)"
)
_ORDERS = (
    r"(?:instructions?|directions?|directives?|prompts?|rules?|guidelines?|guidance|commands?|orders|constraints?"
    r"|restrictions?"
    r"|programming|context|system message|message|training|protocols?|polic(?:y|ies)|safety filters?|tasks?"
    r"|behaviou?r"
    r"|anweisungen|instruktionen|vorgaben|regeln|befehle|richtlinien|kontext"
    r"|consignes|regles|ordres|indications|contexte"
    r"|instrucciones|indicaciones|reglas|ordenes|directrices|contexto"
    r"|istruzioni|direttive|regole|indicazioni|ordini|comandi|contesto|comportamento"
    r"|instructies|aanwijzingen|regels|opdrachten|richtlijnen"
    r"|instrukcj\w+|polecen\w*|zasad\w*|wytyczn\w+|regul\w*|kontekst\w*)"
)
_DROP = (
    r"(?:ignore|disregard|forget|overlook|override|bypass|discard|dismiss|neglect|abandon|drop|overwrite"
    r"|pay no attention to|take no notice of"
    r"|set aside|(?:do not|don't|stop|never|no longer) (?:follow|obey|heed)\w*"
    r"|ignorier(?:e|t|en sie)|missacht(?:e|et|en sie)|vergiss|vergesst|vergessen sie|verwirf|umgehe|uberschreibe"
    r"|ignorez|oubliez?|(?:ne )?(?:tiens|tenez) (?:plus|pas) compte d\w+|ne (?:suis|suivez) (?:pas|plus)"
    r"|fai(?:s|tes) abstraction d\w+"
    r"|ignor[ae]|olvid[ae]|(?:haz|haga) caso omiso d\w+|descart[ae]|no (?:sigas?|hagas caso)|pasa por alto"
    r"|ignori|dimentic[ah]i?|scorda|non (?:tenere|tener|tenga) conto d\w+|non seguire|trascura|tralascia|sovrascrivi"
    r"|negeer|vergeet|(?:sla|schenk) geen (?:acht|aandacht)(?: op| aan)?|volg niet"
    r"|z?ignoruj\w*|zapomnij\w*(?: o)?|pomin\w*|nie (?:zwracaj\w* uwagi na|przestrzegaj\w*|stosuj\w* sie do))"
)
_NOT_DENIED = r"(?!\s+(?:nicht|niet|pas|not)\b)"
_ABOVE = (
    r"(?:(?:everything|anything|all|the text|the content|what(?:ever)?)(?: that)?(?: (?:is|was|came|stands|written"
    r"|said|stated))*"
    r" (?:above|before|previously|up to (?:here|now)|so far)|the (?:above|foregoing|preceding text)"
    r"|(?:everything|all|anything|what)(?: that)? you(?:'ve| have| were| had)?(?: been)? (?:told|given|taught"
    r"|instructed|learn\w+)"
    r"|alles(?:,)? (?:was )?(?:(?:dir|ihnen|du) )?(?:bisher\w*|vorher\w*|obige|oben\w*|bis hierher|zuvor|gesagt"
    r"|gelernt)"
    r"|(?:tout )?ce qui precede|tout ce qu(?:e|'on) .{0,20}(?:dit|avant|appris)"
    r"|(?:todo )?lo (?:anterior|que (?:se )?te)|todo lo que .{0,20}(?:antes|dicho)"
    r"|(?:tutto )?(?:quanto|cio che|quello che) .{0,20}(?:sopra|detto|prima|precede)"
    r"|(?:alles wat .{0,25}(?:boven|gezegd|geleerd)|de bovenstaande tekst|het bovenstaande)"
    r"|wszystkim?,? co .{0,25}(?:powyzej|powiedziano|wczesniej))"
)
_MODEL = (
    r"(?:ai|a\.i\.|llms?|gpt\w*|chatgpt|chat ?bots?|bots?|(?:large )?language models?|ai (?:assistants?|models?"
    r"|systems?|agents?)"
    r"|virtual assistants?|(?:artificial intelligence|automated) (?:systems?|agents?|assistants?|reviewers?)"
    r"|ki|ki-\w+|sprachmodelle?|ia|intelligence artificielle|modele de langage|inteligencia artificial"
    r"|modelo de lenguaje"
    r"|intelligenza artificiale|modello linguistico|taalmodel|kunstmatige intelligentie"
    r"|sztucznej inteligencji|modelu jezykowego|modelu ai|assistants?(?= reading| processing))"
)
_SHOUT = r"(?-i:[\"“„«'‘]?[A-Z][A-Z0-9-]{1,})"
_WORD_THEN = (
    rf"(?:\s*[:\"“„«'‘]|\s+(?:the (?:single |one |exact )?(?:words?|phrase|sentence|code|text|following|string)\b"
    rf"|{_SHOUT}))"
)
_ANSWER = (
    r"(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies)|antwort(?:en)?|ausgaben?|reponses?|respuestas?"
    r"|rispost[ae]"
    r"|antwoord(?:en)?|odpowied\w+)"
)

RULES: tuple[Rule, ...] = (
    _rule(
        "override",
        "gnor|regard|forget|skip|drop|overwrite|sovrascrivi|overlook|overrid|bypass|discard|dismiss|neglect"
        "|abandon|attention|notice|set aside|follow|obey|heed"
        "|missacht|vergiss|vergess|verwirf|umgeh|uberschreib|oubli|compte d|suis|suivez|abstraction|olvid|caso"
        "|descart|sigas"
        "|por alto|dimentic|scord|conto d|seguire|trascur|tralasc|negeer|vergeet|geen a|volg|zapomnij|pomin|uwagi"
        "|przestrzeg|stosuj",
        rf"{_BEGIN}{_DROP}{_NOT_DENIED}\b[^.!?]{{0,40}}?\b{_BEFORE}\b[^.!?]{{0,30}}?\b{_ORDERS}\b",
        rf"{_BEGIN}{_DROP}{_NOT_DENIED}\b[^.!?]{{0,25}}?\b{_ORDERS}\b[^.!?]{{0,30}}?\b{_BEFORE}\b",
        rf"{_BEGIN}{_DROP}{_NOT_DENIED}\s+(?:that )?{_ABOVE}",
        rf"{_BEGIN}{_DROP}{_NOT_DENIED}\s+(?:the |les |las |le |los |die |de |den )?(?:{_ORDERS})(?=\s*(?:$|[.,;:!]"
        rf"|(?:and|et|y|e|und|en|i)\s))",
        r"\b(?:ignore|disregard|forget|skip) (?:the user\b|the (?:\w+ )?task\b)",
    ),
    _rule(
        "unheeded",
        "beacht|folge|befolg|hinweg|volg",
        r"\b(?:beachte|befolge|folge)\b[^.!?]{0,30}\b(?:anweisungen|instruktionen|vorgaben"
        r"|regeln)\b[^.!?]{0,15}\bnicht\b",
        r"\bvolg\b[^.!?]{0,30}\b(?:instructies|aanwijzingen|regels|opdrachten|richtlijnen)\b[^.!?]{0,10}\bniet\b",
        r"\bsetz\w* dich\b[^.!?]{0,40}\b(?:anweisungen|instruktionen|vorgaben|regeln|befehle)\b[^.!?]{0,10}\bhinweg",
    ),
    _rule(
        "cancelled",
        "cancel|revoked|no longer appl|void|ignored|disregarded|forgotten|discarded|ignorate|ignorieren"
        "|aufgehoben|instruction|from now|ab sofort|ab jetzt|nun an|desormais|a partir|desde a|ora in|vanaf nu"
        "|od teraz",
        r"\b(?:instructions|prompts?|directives)\b[^.!?]{0,20}\b(?:above|before|so far)\b[^.!?]{0,15}"
        r"\b(?:cancelled|canceled|revoked|void|no longer appl)",
        rf"\b{_BEFORE} {_ORDERS} (?:must|should|are to|need to) be (?:ignored|disregarded|forgotten|discarded)",
        r"\b(?:istruzioni|regole|direttive) precedenti (?:vanno|devono essere) ignorate",
        r"\b(?:vorherigen|bisherigen|obigen) (?:anweisungen|vorgaben|regeln) sind (?:zu ignorieren|aufgehoben)",
        r"\b(?:real|true|actual|new) instructions? (?:is|are)\b",
        rf"\b(?:from now on|ab sofort|ab jetzt|von nun an|desormais|a partir de (?:maintenant|ahora)|desde ahora"
        rf"|da ora in poi|vanaf nu|od teraz)\b"
        rf"[^.!?]{{0,30}}\b(?:new|neuen?|nuevas|nouvelles|nuove|nieuwe|nowy\w+) {_ORDERS}\b",
    ),
    _rule(
        "persona",
        "a partir de|desde a|you are n|you're n|you will act|pretend|bist|ab jetzt|ab sofort|nun an"
        "|tu so|semblant|tu es|vous etes"
        "|agis|eres|actua|finge|sei un|ora in|adesso|finta|fingi|simula"
        "|je bent|ben je|vanaf nu|alsof|od te|jestes|zachowuj|udawaj|act as|role|from now|from this|henceforth",
        r"\byou(?: are|'re) now (?:in )?(?:(?:an?|the|called|known as|acting as) )?(?:[\w'-]+ ){0,3}?"
        r"(?:dan\b|\w*(?:bot|gpt)\b|ai\b|assistant(?! \w*(?:manager|professor|director|editor))"
        r"|(?:language )?model\b|pirate|hacker"
        r"|unrestricted|unfiltered|jailbroken|(?:developer|debug|admin|god) mode)",
        r"\b(?:from now on|from this (?:point|moment)(?: on)?|henceforth|starting now),? (?:you (?:will |must "
        r"|shall |should |can |may )?(?:only |always )?"
        r"(?:answer|respond|reply|speak|talk|act|behave|pretend|ignore|obey|(?:are|be) (?:an?|the|called|known as"
        r"|no longer) "
        r"(?:[\w-]+ ){0,2}(?:assistant|ai|bot|\w*bot|pirate|hacker|model|character|persona)|(?:are|be) (?:root"
        r"|admin|dan)\b)|(?:answer|respond|reply|speak|act)\b)",
        rf"{_BEGIN}pretend (?:to be|that you are|you(?: are|'re)|you have)\b",
        rf"{_BEGIN}act as (?:if you|though you|an? (?:unrestricted|unfiltered|ai|chatbot|pirate|dan|linux))",
        r"\brespond exclusively\b",
        r"\b(?:du bist|bist du|sie sind) (?:jetzt|nun|ab (?:jetzt|sofort)|ab nun)?\s*(?:ein\w* )?(?:[\w-]+ )?"
        r"(?:pirat|assistent|ki\b|roboter|chatbot|bot\b|hacker|sprachmodell)",
        r"\b(?:ab sofort|ab jetzt|von nun an) (?:bist|antwortest|beantwortest|sprichst|verhaltst|sagst|gibst) du\b",
        rf"{_BEGIN}tu so,? als (?:warst|seist|ob) du",
        r"\b(?:desormais|a partir de maintenant|maintenant),? (?:tu es|vous etes|tu agis|vous agissez|tu reponds"
        r"|vous repondez)"
        r" (?:un |une |en |comme )?(?:[\w-]+ )?(?:pirate|assistant|ia\b|robot|chatbot|hacker|mode)",
        r"\btu es (?:desormais|maintenant) (?:un|une|en)\b",
        rf"{_BEGIN}(?:fais|faites) semblant d",
        rf"{_BEGIN}agis comme (?:si|un)",
        r"\b(?:a partir de ahora|desde ahora|ahora)(?: en adelante)?,? (?:tu )?(?:actuas|respondes|te comportas"
        r"|eres un)"
        r"(?! miembro| socio)",
        rf"{_BEGIN}(?:finge|simula) (?:que eres|ser)",
        rf"{_BEGIN}actua como si",
        r"\b(?:da ora in poi|d'ora in (?:poi|avanti)|adesso),? (?:tu )?(?:sei un|ti comporti|rispondi"
        r"|agisci)(?! membro| socio)",
        rf"{_BEGIN}(?:fai finta|fingi) di (?:essere|non)",
        r"\b(?:je bent nu|vanaf nu ben je|nu ben je) (?:een )?(?:[\w-]+ )?(?:piraat|assistent|ai\b|robot|chatbot"
        r"|bot\b|hacker|beheerder)",
        r"\bvanaf nu (?:gedraag|antwoord|spreek|praat) je",
        rf"{_BEGIN}doe alsof je",
        r"\bod (?:teraz|tej (?:chwili|pory)),? (?:jestes (?!odpowiedzialn|czlonk)|zachowujesz|odpowiadasz|mowisz)",
        rf"{_BEGIN}udawaj\w*,? ze",
    ),
    _rule(
        "reply",
        "repl|respond|answer|say |output|print|write|tell |beantwort|antwort|gib |repond|dis |respond|contest"
        "|rispond|antwoord|odpow|repeat",
        rf"{_BEGIN}(?:always )?(?:reply|respond|answer)(?: to (?:everything|every \w+|all \w+|any \w+))?(?: only"
        rf"| just| exclusively| solely| simply)?"
        rf" with(?: only| just| exactly)?{_WORD_THEN}(?!.{{0,20}}to (?:unsubscribe|stop|opt|confirm|subscribe"
        rf"|receive|join|cancel|win))",
        rf"{_BEGIN}(?:only |you )?(?:only )?(?:reply|respond|answer|say|output|print|write|return)"
        rf"(?: only| just| exactly| simply)+{_WORD_THEN}",
        rf"{_BEGIN}(?:output|print|say|repeat|write|reply|answer|respond) (?:exactly ?:|the (?:single )?(?:word"
        rf"|phrase) )"
        r"(?!.{0,20}(?:in the box|on the (?:form|line)))",
        rf"{_BEGIN}(?:output|say|repeat|reply|answer"
        rf"|respond):? ['\"“‘]?(?=[A-Z0-9-]*(?-i:[A-Z]))(?-i:[A-Z0-9][A-Z0-9-]{{3,}})\b(?! to )",
        rf"{_BEGIN}repeat (?:after me|the answer)\b",
        r"\b(?:answer|reply|respond)(?: to)? (?:every|each|any|all) (?:\w+ )?(?:questions?|quer(?:y|ies)"
        r"|prompts?) (?:with|by|in)\b",
        r"\b(?:regardless of|no matter|whatever|irrespective of) (?:what )?(?:the )?(?:user(?:'s)?|question"
        r"|quer(?:y|ies)|prompt|(?:is |you are )asked)\b",
        r"\b(?:if|when(?:ever)?) (?:(?:you|they)(?: are|'re) |someone is |(?:anyone|anybody|someone|somebody"
        r"|a user|the user|people) )?ask(?:ed|s)? (?:about|for|any\w*|what|whether|who|how)\b[^.!?]{0,60},? "
        r"(?:always )?(?:reply|respond|answer)\b",
        r"\b(?:for|to) (?:any|every|each|all) (?:query|question|queries|questions)\b[^.!?]{0,60}\b(?:reply|respond"
        r"|answer)\b",
        r"\brespond (?:exclusively|solely)\b",
        rf"{_BEGIN}(?:antworte|antworten sie|antwortet)(?: mir)? (?:nur|ausschlie\w+|lediglich|stets|immer"
        rf"|genau)(?: noch)? (?:mit|{_SHOUT})",
        r"\bbeantworte\w*(?: du)? (?:jede|alle)\w*(?: \w+)? fragen? mit\b",
        r"\bwenn (?:du|sie)\b[^.!?]{0,50}\bgefragt (?:wirst|werden)\b[^.!?]{0,10}\bantworte",
        rf"{_BEGIN}(?:reponds|repondez|repond) (?:uniquement|seulement|exclusivement|toujours)(?: par| avec"
        rf"| en)? (?:par|avec|{_SHOUT}|le mot)",
        rf"{_BEGIN}(?:reponds|repondez) (?:uniquement|seulement|exclusivement) (?:par|{_SHOUT})",
        r"\bsi (?:l'on|on) (?:vous|te|t')\s?(?:demande|interroge)\b[^.!?]{0,50}\brepond",
        rf"{_BEGIN}(?:responde|responda|contesta|conteste) (?:solo|unicamente|exclusivamente|solamente"
        rf"|siempre)(?: con| que)? ?(?:con|la palabra|{_SHOUT})",
        rf"{_BEGIN}(?:responde|contesta) (?:solo|unicamente|exclusivamente) con\b",
        r"\bsi te (?:preguntan|pregunta)\b[^.!?]{0,50}\b(?:responde|contesta|di)\b",
        rf"{_BEGIN}(?:rispondi|risponda) (?:solo|soltanto|unicamente|esclusivamente|sempre)(?: con)? (?:con"
        rf"|la parola|{_SHOUT})",
        rf"{_BEGIN}rispondi (?:solo|soltanto|esclusivamente) con\b",
        r"\bse (?:ti|le) chied\w+\b[^.!?]{0,50}\b(?:rispondi|di')",
        rf"{_BEGIN}antwoord(?: dan)? (?:alleen|uitsluitend|enkel|altijd)(?: nog)? (?:met|{_SHOUT})",
        r"\bals (?:je|iemand)\b[^.!?]{0,50}\b(?:gevraagd|vraagt)\b[^.!?]{0,30}\bantwoord",
        rf"{_BEGIN}odpowi(?:edz|adaj)\w* (?:tylko|wylacznie|jedynie|zawsze)(?: slowem)? (?:slowem|{_SHOUT})",
        r"\bjesli (?:ktos|uzytkownik)\b[^.!?]{0,40}\b(?:zapyta|pyta)\b[^.!?]{0,30}\bodpowi",
    ),
    _rule(
        "answer",
        "answer|repl|response|output|summar|antwort|ausgabe|reponse|respuesta|rispost|antwoord|odpowied",
        rf"\b(?:start|begin|end|finish|open|close|preface|prefix|beginn\w*|starte|ende|beende|commence[zr]?"
        rf"|termine[zr]?|empieza|comienza"
        rf"|inizia|comincia|termina|begin|eindig|rozpocz\w*|zacz\w*|zakoncz\w*)\s+(?:every|each|your|all|jede|deine"
        rf"|alle|ta|tes|votre|vos|chaque"
        rf"|tu|cada|la tua|ogni|tue|je|jouw|elk|swoj\w*|kazd\w*)\s+{_ANSWER}",
        r"\b(?:include|append|add|insert|put|mention|repeat|embed) [^.!?]{1,60} (?:in|to|into"
        r"|at the end of) (?:your|every|their|each) "
        r"(?:final )?(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies))",
        r"\byour (?:entire |whole |final |only )?(?:answer|reply|response|output|summary) (?:must|should|has to"
        r"|shall|will|is to) (?:only |always )?"
        r"(?:(?:be|say|contain|include|consist of) (?:the (?:single |following |exact )?(?:word|phrase|sentence"
        r"|string|link|code|text)"
        rf"|exactly|only|just|nothing|these words|{_SHOUT})|(?:start|begin|end) with)",
        r"\byour (?:answer|reply|response|output|summary) (?:(?:only |just )?(?:contains?|consists? of"
        r"|says?) (?:only|just|nothing)|is (?:only|just|always))\b",
        r"\bdeine antwort (?:muss|soll|darf|lautet|besteht)\b",
        r"\b(?:ta|votre) reponse (?:doit|devra) (?:etre (?:uniquement|seulement)|contenir|commencer|inclure"
        r"|se terminer)",
        r"\btu respuesta debe (?:ser (?:solo|unicamente)|contener|empezar|incluir|terminar)",
        r"\bla tua risposta deve\b",
        r"\b(?:je|jouw) antwoord moet\b",
        r"\b(?:twoja|swoja) odpowiedz (?:musi|powinna)\b",
        r"\bbeginnst (?:du )?jede antwort",
    ),
    _rule(
        "secret",
        "user|existence|nutzer|benutzer|anwender|utilisat|usuario|utente|gebruiker|uzytkownik|person who|whoever"
        "|reader",
        r"\b(?:do not|don't|never|without)\s+(?:ever )?(?:tell|telling|inform|alert|notify|warn|let|show|mention"
        r"|mentioning|reveal|disclose|say|explain)"
        r"\b[^.!?]{0,50}\b(?:the (?:end[- ]?)?user|the person (?:who (?:is )?ask|asking)|whoever (?:is )?ask)",
        r"\b(?:do not|don't|never) (?:mention|acknowledge|reveal|refer to) (?:the )?existence of th(?:is|ese)"
        r" (?:note|instructions?|paragraph|message|prompt|text|comment)",
        r"\b(?:sag|sagen sie|verrate|verraten sie|erwahne|zeige)\b[^.!?]{0,15}\b(?:dem"
        r"|der) (?:be)?nutzer\w*\b[^.!?]{0,20}\b(?:nich|keinesfalls|auf keinen fall|niemals|nie\b)",
        r"\bne (?:dis|dites|mentionne|mentionnez|revele|revelez|parle|parlez) (?:rien|pas"
        r"|jamais)\b[^.!?]{0,35}\bl'utilisateur",
        r"\b(?:no|nunca|jamas) (?:le )?(?:digas|menciones|reveles|diga|mencione)\b[^.!?]{0,40}\bal usuario",
        r"\b(?:no|nunca|jamas) le (?:digas|diga|cuentes) al usuario",
        r"\bnon (?:dire|menzionare|rivelare|parlare)\b[^.!?]{0,35}\b(?:all'|con l')utente",
        r"\b(?:vertel|zeg|noem|toon)\b[^.!?]{0,40}\bde gebruiker\b[^.!?]{0,12}\bniets",
        r"\bnoem\b[^.!?]{0,25}\b(?:nooit|niet) tegen(?:over)? de gebruiker",
        r"\bnie (?:mow\w*|wspominaj\w*|ujawniaj\w*|informuj\w*)\b[^.!?]{0,25}\buzytkownik",
    ),
    _rule(
        "leak",
        "prompt|system m|instruc|istruz|instruk|anweis|consign|monit|invite|regeln",
        rf"{_BEGIN}(?:reveal|print|show|output|repeat|display|leak|expose|tell me|give me|write out|disclose|share"
        rf"|return|list)\b[^.!?]{{0,20}}"
        r"\b(?:(?:hidden|original|initial|secret) (?:prompts?|instructions)|(?:your|the"
        r"|its) (?:\w+ )?system (?:prompt|message|instructions)|(?:your|the) (?:hidden|initial|original|internal"
        r"|secret|own) "
        r"(?:prompt|instructions|rules|directives)|your (?:prompt|instructions))",
        rf"{_BEGIN}(?:zeige?|gib|verrate?|nenne?|offenbare?|wiederhole?)\b[^.!?]{{0,15}}\b(?:system-?prompt\w*"
        rf"|dein\w* (?:\w+ )?(?:anweisungen|instruktionen"
        r"|prompt|regeln))",
        rf"{_BEGIN}(?:revele|affiche|montre|donne|repete)[sz]?\b[^.!?]{{0,15}}\b(?:invite systeme|prompt\b|(?:tes"
        rf"|vos) (?:instructions|consignes))",
        rf"{_BEGIN}(?:revela|muestra|muestrame|imprime|dime|repite)\b[^.!?]{{0,15}}\b(?:prompt\b"
        rf"|tus (?:\w+ )?instrucciones)",
        rf"{_BEGIN}(?:rivela|mostra|mostrami|stampa|dimmi|ripeti)\b[^.!?]{{0,15}}\b(?:prompt\b|tue istruzioni)",
        rf"{_BEGIN}(?:toon|onthul|geef|herhaal)\b[^.!?]{{0,15}}\b(?:systeemprompt|(?:je|jouw) (?:\w+ )?instructies)",
        rf"{_BEGIN}(?:pokaz|ujawnij|wypisz|podaj|powtorz)\b[^.!?]{{0,15}}\b(?:prompt\w*|monit\w* systemow\w+"
        rf"|swoje (?:\w+ )?instrukcje)",
    ),
    _rule(
        "addressed",
        "when|ai|llm|gpt|bot|model|ki|ia|intelig|intell|inteligencji|taalmodel|assistant",
        rf"\b(?:note|message|notice|attention|instructions?|memo|hint|reminder)[,:]?(?: (?:to|for))?(?: the| all"
        rf"| any| every)? {_MODEL}\b",
        rf"{_BEGIN}(?:dear|hey|hello|hi|attention|to|for) (?:the |all |any |every )?{_MODEL}(?: (?:that|who"
        rf"|which)[^.!?:]{{3,40}}| reading[^:.]{{0,30}})?\s*[:,!]",
        r"\b(?:note|message) to (?:the )?(?:ai )?assistant:",
        r"\bas an? (?:ai|llm|(?:large )?language model|ai (?:assistant|language model))\b,? (?:you|your|please"
        r"|always|never)\b",
        rf"\bif you are (?:an? |the )?(?:{_MODEL}|assistant)\b(?! (?:manager|professor|director|editor|teacher))",
        rf"{_MODEL}(?: \w+)? (?:reading|processing|summari[sz]ing|evaluating|reviewing|parsing|that reads?) (?:this"
        rf"|the (?:text|page|document))"
        r"[^.!?]{0,10}\b(?:must|should|shall|are|has|have|needs?|will|is)\b",
        r"\bwhen (?:you are )?(?:summari[sz]ing|answering|describing|translating|evaluating) (?:this"
        r"|the) (?:document|text|page|paper|article|file|e?-?mail)"
        r"[^.!?]{0,15}\b(?:always|say|state|include|mention|recommend|you must)\b",
        rf"\b(?:hinweis|nachricht|anweisung|achtung)(?:,| an| fur)?(?: die| das| jede| alle)? {_MODEL}\b",
        rf"{_BEGIN}an (?:die|das|jede|alle) {_MODEL}\b[^.!?]{{0,50}}:",
        rf"\b(?:note|message|consigne) (?:a|pour)(?: l'attention)?(?: de)? ?(?:l'|le |la |les )?{_MODEL}\b",
        rf"{_BEGIN}a l'(?:attention de l')?{_MODEL}\b[^.!?]{{0,40}}:",
        rf"\b(?:nota|mensaje|aviso) (?:para|a) (?:la|el) {_MODEL}\b",
        rf"{_BEGIN}a la {_MODEL}\b[^.!?]{{0,40}}:",
        rf"\b(?:nota|messaggio|avviso) per (?:l'|il |la )?{_MODEL}\b",
        rf"{_BEGIN}all'{_MODEL}\b[^.!?]{{0,40}}:",
        rf"\b(?:opmerking|bericht|let op)(?: voor| aan)? (?:de|het) {_MODEL}\b",
        rf"{_BEGIN}aan (?:de|het|elke) {_MODEL}\b[^.!?]{{0,40}}:",
        rf"\b(?:uwaga|wiadomosc|polecenie) (?:dla|do) {_MODEL}",
        rf"{_BEGIN}do {_MODEL}\b[^.!?]{{0,40}}:",
    ),
    _rule(
        "header",
        "assistant|system|###|[inst|<<sys|<|im_|<|start|<|end|<start_of|new instr|new task|task has|developer"
        "|nachricht|sistema",
        r"(?:^|[.!?>\]]\s+)(?:assistant|chatgpt|ai assistant)\s*:\s*\S",
        r"(?:^|[.!?>\]*#-]\s*)\[?(?:system|developer)\]?(?: (?:message|prompt|note|instructions?|update"
        r"|override))?\s*:[^.]{0,80}"
        r"\b(?:you|the user|ignore|reveal|answer|respond|must|override|forget|disregard)\b",
        r"\bsystem (?:override|prompt)\s*:",
        r"\bsystem ?override\b",
        r"\b(?:systemnachricht|message systeme|mensaje del sistema|messaggio di sistema|systeembericht"
        r"|komunikat systemowy)\s*:",
        r"###\s*(?:instructions?|response|system|human|assistant)\b",
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|>"
        r"|\[/?inst\]|<<sys>>|<(?:start|end)_of_turn>",
        r"\bnew (?:instructions?|task|rules|system prompt|objective)(?: for [^:.]{3,40})?\s*:",
        r"\byour (?:new|real|true|actual|only) (?:task|goal|instructions?|objective|purpose) (?:is"
        r"|are)(?: now)? to (?:answer|translate|say|write|reply"
        r"|respond|ignore|print|output|act|speak|convince|recommend|describe)\b",
        r"\bthe task has changed\b",
    ),
    _rule(
        "send",
        "send|forward|upload|transmit|exfiltrate",
        rf"{_BEGIN}(?:send|forward|upload|transmit|exfiltrate)\b[^.!?]{{0,30}}\b(?:conversation|chat history"
        rf"|system prompt|user(?:'s)? (?:question|data))\b"
        r"[^!?]{0,20}\bto\b",
    ),
    _rule(
        "decode",
        "decode|dekodier|decodez|decodifica|decodeer|zdekoduj",
        r"\b(?:decode|dekodiere|decodez|decodifica|decodeer|zdekoduj)\b[^.!?]{0,40}\b(?:follow|obey|execute|run"
        r"|do what|carry out|befolge|suivez|sigue"
        r"|segui|volg|wykonaj)\b",
    ),
)
