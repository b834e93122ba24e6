"""Names that distinguish addresses from prose: schemes, top-level domains and file types."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCHEMES: Final = _words(
    "about android-app apt bitcoin blob callto chrome cid data dict dns ethereum facetime facetime-audio feed "
    "file filesystem ftp ftps geo git gopher hcp http https imap intent irc itms itms-apps jar javascript jscript "
    "ldap ldaps livescript magnet mailto market mhtml mid mk mms mocha moz-extension msteams news nfs nntp "
    "onenote openid pop res resource rtsp sftp shell sip sips skype slack smb sms smsto spotify ssh steam stun "
    "svn tel telnet tg urn vbscript viber view-source vnc vscode webcal weixin whatsapp wlan ws wss wyciwyg xmpp "
    "zoommtg zoomus"
)
TOP_LEVELS: Final = _words(
    # in common use, or commonly abused
    "com org net info biz app dev shop xyz online site website store tech blog cloud club live news space world "
    "top page link click icu pro mobi name edu gov mil int digital agency studio design media email zip mov "
    "example test invalid local onion academy asia autos bank bar beauty best bet bid boats bond business buzz "
    "cam care cash casino center cfd chat city codes company cool country cyou date deals delivery direct "
    "download exchange expert express finance fit fun fund fyi games gdn global gold group guru hair help homes "
    "host hosting ink institute kim krd lat life lol loan ltd makeup market marketing men monster motorcycles "
    "network ninja one ooo party photos pics pictures place plus porn press quest racing rest review reviews "
    "rocks run sale sbs science services sexy skin social software solutions stream support surf systems team "
    "technology tel tips today tokyo tools trade travel uno vip wang watch webcam wiki win work works wtf yachts "
    "zone berlin london paris google amazon"
    # of countries
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca "
    "cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo "
    "fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je "
    "jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo "
    "mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt "
    "pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk "
    "tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
ANY_CASE: Final = ("com", "edu", "gov", "net", "org")
"""Top-level domains that no sentence begins with."""

FAR_TOP_LEVELS: Final = _words(
    "рф рус укр бел срб мон мкд қаз ею бг онлайн сайт орг ком дети москва католик ελ ευ հայ გე ישראל קום مصر "
    "السعودية امارات ایران قطر تونس المغرب الجزائر عمان فلسطين سورية سوريا اليمن موقع شبكة بازار بھارت پاکستان "
    "عراق بارت كوم عرب भारत भारतम् संगठन नेट कॉम ভারত বাংলা இந்தியா இலங்கை சிங்கப்பூர் భారత్ ಭಾರತ ഭാരതം ਭਾਰਤ ભારત "
    "ଭାରତ ලංකා ไทย คอม ລາວ"
)
CHINESE_LIKE_TOP_LEVELS: Final = _words(
    "中国 中國 香港 台湾 台灣 澳門 新加坡 公司 网络 網路 网址 网站 在线 商城 商店 集团 中文网 我爱你 移动 "
    "组织机构 政务 公益 한국 닷컴 닷넷 삼성 みんな コム ストア クラウド グーグル テスト "
    "测试 測試 테스트"
)

FILES: Final = _words(
    "js jsx ts tsx mjs cjs css scss less html htm xhtml php json xml yaml yml toml ini md mdx txt rst pdf png jpg "
    "jpeg gif svg webp avif ico bmp tif tiff mp mp3 mp4 mkv avi wav doc docx xls xlsx ppt pptx odt ods csv tsv py "
    "pyc rb rs sh bash bat exe dll so java kt go cpp cs vue svelte sql db log lock env conf cfg gz tar bz xz zst "
    "bak tmp zip mov cc pl ps"
)
DOCUMENTS: Final = _words(
    "authors build changelog conftest contributing history index install lib licence license main manage mod "
    "notes readme run security setup test tests todo"
)
"""File names recognised with any extension."""

PRODUCTS: Final = frozenset({"asp.net", "vb.net", "ado.net", "ml.net"})
"""Product names that look like addresses."""
