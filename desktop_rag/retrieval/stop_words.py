"""The words of a language that carry others and are in almost every text: they tell no passage from another.

Short on purpose: what is merely frequent is left to the weight of rarity. English has the list that Lucene made usual.
"""

from __future__ import annotations

STOP_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an and are as at be but by for if in into is it no not of on or such that the their then there these"
        " they this to was will with",
        "de": "aber als am an auch auf aus bei beim bin bis da das dass dem den der des die doch du durch ein eine"
        " einem einen einer eines er es für hat hatte ich ihr im in ins ist kein keine man mit nach nicht noch nur oder"
        " sein seine sich sie sind so über um und uns unter vom von vor war waren was wenn wer werden wie wird wurde"
        " zu zum zur",
        "fr": "à au aux avec c ce ces cet cette d dans de des du elle elles en est et eu il ils j je l la le les leur"
        " leurs lui m mais n ne nous on ou où par pas pour qu que qui s sa se ses son sont sur t un une vous y était",
        "es": "a al ante como con cual cuando de del desde donde e el ella ellos en entre era es esta este esto fue ha"
        " han hay la las le les lo los más no o para pero por que qué se ser si sin sobre son su sus también un una"
        " y ya",
        "it": "a ad agli ai al alla alle anche c che chi ci con come d da dagli dai dal dalla dalle degli dei del della"
        " delle di e è era gli ha i il in l la le lo ma nei nel nella nelle non o per più quale quando s se si sono su"
        " sul sulla sulle tra un una uno",
        "nl": "aan als bij dan dat de deze die dit door een en er had heeft het hij hoe ik in is je kan maar met naar"
        " niet nog of om onder ook op over te tot uit van veel voor waar was wat werd wie wordt ze zich zij zijn",
        "pt": "a ao aos as às com como da das de do dos e é ela ele em entre era foi há mais mas na não nas no nos o os"
        " ou para pela pelo por qual quando que se sem ser seu são sua também um uma",
        "pl": "a ale albo by być był była było co czy dla do gdy gdzie i ich ile jak jako jego jej jest już ktory które"
        " która który lub ma na nad nie o od oraz po pod przez przy są się tak także ten to tym u w we z za ze że",
        "ru": "а без бы был была были было в во вы где для до его ее её если же за и из или им их к как какой когда кто"
        " ли на над не него нет но о об он она они оно от по под при с со так также то тот у что это я",
        "sv": "att av de den det detta du ej en ett från för har hon han hur i inte jag med men när och om på sig sin"
        " som till under var vad vid vi är än",
        "da": "af at de dem den der det du efter en er et for fra han har hun hvad hvor i ikke jeg kan med men når og"
        " om på sig som til var ved vi",
        "no": "av at de den det du en er et etter for fra han har hun hva hvor i ikke jeg kan med men når og om på seg"
        " som til var ved vi",
        "hi": "का के की को में से है हैं था थे थी और या पर ने एक यह वह इस उस कि जो तो भी ही हो नहीं लिए साथ तक कर गया"
        " क्या कब कहाँ कौन",
        "ar": "في من على إلى عن مع هذا هذه ذلك التي الذي الذين هو هي هم كان كانت أن إن ما لا لم لن أو و ثم قد كل بين"
        " عند بعد قبل",
    }.items()
}
