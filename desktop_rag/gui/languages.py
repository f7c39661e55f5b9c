"""The names of the languages that are told apart in documents, by their ISO 639 codes."""

from __future__ import annotations

_NAMES = (
    "ace Acehnese,af Afrikaans,am Amharic,an Aragonese,ar Arabic,ary Moroccan Arabic,arz Egyptian Arabic,"
    "as Assamese,az Azerbaijani,ba Bashkir,bcl Central Bikol,be Belarusian,bg Bulgarian,bn Bengali,br Breton,"
    "bs Bosnian,ca Catalan,crh Crimean Tatar,cs Czech,cy Welsh,da Danish,de German,dz Dzongkha,el Greek,"
    "en English,eo Esperanto,es Spanish,et Estonian,eu Basque,ext Extremaduran,fa Persian,fi Finnish,fo Faroese,"
    "fr French,fuv Fulfulde,fy Frisian,ga Irish,gcf Guadeloupean Creole,gcr Guianese Creole,gd Scottish Gaelic,"
    "gl Galician,gom Konkani,grc Ancient Greek,gu Gujarati,gug Guarani,guw Gun,ha Hausa,hbo Biblical Hebrew,"
    "he Hebrew,hi Hindi,hr Croatian,ht Haitian,hu Hungarian,hy Armenian,id Indonesian,ig Igbo,is Icelandic,"
    "it Italian,ja Japanese,jv Javanese,ka Georgian,kab Kabyle,kik Kikuyu,kk Kazakh,km Khmer,kn Kannada,"
    "ko Korean,ku Kurdish,ky Kyrgyz,la Latin,lb Luxembourgish,lg Ganda,lij Ligurian,ln Lingala,lo Lao,"
    "lt Lithuanian,ltg Latgalian,lv Latvian,mg Malagasy,mk Macedonian,ml Malayalam,mn Mongolian,mr Marathi,"
    "ms Malay,mt Maltese,my Burmese,nb Norwegian,ne Nepali,nl Dutch,nn Norwegian,no Norwegian,nso Northern Sotho,"
    "oc Occitan,om Oromo,or Odia,pa Punjabi,pcm Nigerian Pidgin,pl Polish,ps Pashto,pt Portuguese,qu Quechua,"
    "ro Romanian,ru Russian,rw Kinyarwanda,sa Sanskrit,sdh Southern Kurdish,se Sami,si Sinhala,sk Slovak,"
    "sl Slovenian,sn Shona,so Somali,sq Albanian,sr Serbian,st Sotho,sv Swedish,sw Swahili,ta Tamil,te Telugu,"
    "tg Tajik,th Thai,tk Turkmen,tl Tagalog,tr Turkish,tt Tatar,ug Uyghur,uk Ukrainian,ur Urdu,uz Uzbek,"
    "uzs Southern Uzbek,vec Venetian,vi Vietnamese,vo Volapük,wa Walloon,wuu Wu Chinese,xh Xhosa,yo Yoruba,"
    "yue Cantonese,zh Chinese,zu Zulu"
)
NAMES: dict[str, str] = {code: name for code, _, name in (entry.partition(" ") for entry in _NAMES.split(","))}
# What has no words has no language.
NAMES["zxx"] = ""


def language_name(code: object) -> str:
    """ "de" -> "German"; a code nobody knows is shown as it is."""
    short = str(code or "").lower().partition("-")[0]
    return NAMES.get(short, short.upper())
