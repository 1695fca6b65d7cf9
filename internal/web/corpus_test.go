package web_test

import "strings"

// The corpus of JSON texts. Values are tried where a value can stand, bodies by
// themselves.

// goodValues are values of RFC 8259.
var goodValues = append(strings.Fields(`
	0 -0 1 -1 10 123 -123 1234567890 0.1 -0.1 1.5 -1.5 0.0 -0.0 123.456 0.00000000000000000001 0e0 0e1 0E1 0e+1 0e-1 0E-1 1e1 1E1 1e22
	1E22 1e+2 1E+2 1e-2 1E-2 1e005 20e1 1.0e1 1.5E-7 123.456e7 123.456e-7 -1e1 -1.5e+3 9007199254740993
	"" "a" "asd" "\"" "\\" "\/" "\b\f\n\r\t" "\\u0000" "\\n" "\u0000" "\u0012" "\u001F" "\u0060" "\u00e9" "\u00E9" "\u20AC" "\u0061\u30af\u30EA\u30b9"
	"\ud834\udd1e" "\uD83D\uDE00" "\uD801\udc37" "\udbff\udfff" "\uffff" "\uFDD0" "\u2028" "\uFEFF" "\u002c" "\u005C" "\u0022" "\u007F" "\u0821"
	"é" "€" "𝄞" "日本" "/*x*/" "//x" "https:\/\/x" "aa" "[]" "{}" "null" "1" "'" "$ref" "π" "⍂㈴⍂"
	true false null [] [[]] [[[]]] [1] [1,2] [null] [true] [""] ["a"] [null,1,"1",{}] [1,null,null,null,2] [[1],[2]] [{}] [{},{}] [-0] [1e1] [0,0.0]
	{} {"a":1} {"":0} {"":""} {"a":{}} {"a":{"b":{"c":[]}}} {"a":[]} {"a":null} {"a":1,"b":2} {"a":1,"A":2} {"\u0000":0} {"a\nb":0} {"é":0} {"\ud834\udd1e":0}
	{"a":1,"aa":1} {"__proto__":{}} {"value":1,"VALUE":2} {"x":[{"id":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}],"id":"x"}`),
	" 1 ", "[ ]", "[\t1\r,\n2 ]", "{ }", "{\t\"a\"\r:\n1 }", "\" \"", "\"a b\"", "\"\u007f\"", "\"\u2028\"", "\"\u2029\"", "\"\ufeff\"", "\"\ufffe\"", "\"\uffff\"", "\"\U0010ffff\"",
	"\n\n[]\n\n", "[1\n]", " []", "[] ", "\"\u0080\"", "{\"a b\":1}",
)

// badValues are no values of RFC 8259.
var badValues = append(strings.Fields(`
	+1 ++1 +0 - -- --1 -01 01 00 012 -012 1. -1. .1 -.1 .5e1 1.e1 .e1 0.e1 2.e3 2.e-3 2.e+3 1e 1e+ 1e- 1E 1E+ 1E- 1ea 1eE2 1e1.5 1e1e1 0e 0e+ 0E+ 0.3e 0.3e+ 9.e+ 0x1 0x 0X1F 0b1 0o7
	1_000 NaN nan -NaN +NaN Infinity -Infinity +Inf Inf -inf 1.2.3 1-2 1+2 1a 1A -1x -foo １ ١ 0xFFp1 1f 1.0f 1L 1n $1 #1 1% 1,5 1;2 1/2 (1) ∞ -x 1.0.
	" "a a" 'a' "\x00" "\a" "\v" "\0" "\1" "\'" "\U0061" "\u" "\u1" "\u12" "\u123" "\u00G0" "\uzzzz" "\u+061" "\u-061" "\u0x61" "\u{61}" "\" "\\\" "\é" "\🌀" "\" "a\" """ """" ""a "a"b "a""b"
	“a” \"a\" \u0022a\u0022 &quot;a&quot; "a"+"b" r"a" "\u00A" "\ud834\u" "\ud834\udd" "\Ud834" "\N" "\T" "\/"x \n \u0031 "\*" "\(" "\&"
	nul nu n tru t fals f True TRUE False FALSE Null NULL nulll truee true1 nullnull truefalse undefined none None nil yes no on fALSE tRUE *null <null> NUL void
	[ ] [1 [1, [1,, [,1] [1,] [1,,] [,] [,,] [1,,2] [[] []] [[ [1} ["a"1] ["a":1] [1;2] [*] [*1] [1,"] [a] [-] [:] [1:2] ["x",,] [1]] [1][2] [1],[2] [+1] [01] ["a",] ] [{] [}] [{]} [][] [a,b] [1...3] [...]
	{ } {"a" {"a": {"a":1 {"a":1, {"a":1,} {,"a":1} {,} {"a":1,,"b":2} {"a":1,"b"} {"a","b":1} {a:1} {'a':1} {1:1} {null:1} {true:1} {[]:1} {{}:1} {"a"1} {"a"::1} {"a":1"b":2} {"a":1;"b":2}
	{"a"=1} {"a",1} {:1} {"a":} {"a":1] {"a":1}} {"a":,} {""} {"a":a} {"a":"b"c} {"a":"a"1} {"a":1:2} {"a":/**/1} {/**/} {//} {"a":1}/**/ {"a":1}//x {"a":1}# {#} {"a":1|"b":2} {-"a":1} {"a"-:1}
	{"a":1,"a":2} {"a":1,"\u0061":2} {"":1,"":2} {"a":{"b":1,"b":2}} {"é":1,"\u00e9":2} @ * ^ ~ | \ / // /**/ # <a> <!-- --> ; : , ,1 1, => _ ´ …`),
	"1 2", "- 1", "+ 1", "1 .5", "1. 5", "1e 1", "1 e1", "1 000", "0 x1", "tr ue", "nul\x00", "1\x00", "\x001", "\"\\ \"", "\"\\\n\"", "\"\\\t\"", "\"\\\x00\"", "\"\\u 061\"", "\"a\" \"b\"", "[1 2]",
	"[1 true]", "[\"a\" \"b\"]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1 2}", "[\n1,\n", "[1,\n1\n,1", "\"\n\"", "\"\r\"", "\"\t\"", "\"\x00\"", "\"\x01\"", "\"\x08\"", "\"\x0b\"", "\"\x1f\"",
	"\"a\nb\"", "\"a\x00b\"", "{\"a\nb\":1}", "{\"\t\":1}", "\u00a01", "1\u00a0", "\f1", "1\f", "\v1", "\u20281", "1\u2029", "\u200b1", "\u20601", "1\u3000", "\ufeff1", "1\ufeff", "\x1b1", "\x7f1", "[\u00a0]", "{\f}",
	"[\v]", "\xff", "\xe9", "\xe2\x82", "[\xff]", "1\xe5", "1e1\xe5", "-123.123\xe5foo", "0\xe5", "{\"a\":\"b\"}\xe5", "",
)

// badBodies are no bodies, though there may be JSON in them.
var badBodies = []string{
	"", " ", "\n", "\x00", "{}x", "{}{}", "{} {}", "{}[]", "{},", "{},{}", "{}1", "{}null", "{}\"", "{}}", "{}]", "{}\x00", "\x00{}", "\ufeff{}", "{}\ufeff", "\ufeff",
	"\u00a0{}", "\f{}", "\v{}", "\u2028{}", "\u200b{}", "{}\f", "{}\v", "\x1e{}\n", ")]}',\n{}", "({})", "({});", ";{}", "{};", "json {}", "data: {}", "callback({})", "<xml/>", "a=b", "%7B%7D", "e30=",
	"{\x00}\x00", "\x00{\x00}", "\xff\xfe{\x00}\x00", "\xfe\xff\x00{\x00}", "{\x00\x00\x00}\x00\x00\x00", "\x00\x00\x00{\x00\x00\x00}", "+AHsAfQ-", "\xef\xbb{}", "\xff{}", "{}\xff", "{\xff}", "{}//", "{}#", "{}/**/", "//\n{}", "#!\n{}", "--\n{}",
	"[]", "[{}]", "1", "\"a\"", "true", "null", "[\"value\",1]", // JSON, and no object
}

// judged are texts about which RFC 8259 leaves the judgement to the parser,
// with ours: two parsers that judge them differently are a way past one.
var judged = []struct {
	name, value string
	taken       bool
}{
	{"half a surrogate pair", `"\ud800"`, false}, {"the second half alone", `"\udc00"`, false}, {"a pair turned round", `"\udd1e\ud834"`, false},
	{"two first halves", `"\ud800\ud800"`, false}, {"half a pair, then text", `"\ud800abc"`, false}, {"half a pair, then an escape", `"\uD800\n"`, false},
	{"half a pair in a key", `{"\ud800":1}`, false}, {"half a pair, then an upper-case one", `"\uDADA\u0041"`, false},
	{"a byte that is no UTF-8", "\"\xff\"", false}, {"Latin-1", "\"\xe9\"", false}, {"an overlong slash of two bytes", "\"\xc0\xaf\"", false},
	{"an overlong slash of three bytes", "\"\xe0\x80\xaf\"", false}, {"an overlong slash of four bytes", "\"\xf0\x80\x80\xaf\"", false},
	{"an overlong NUL", "\"\xc0\x80\"", false}, {"a surrogate in UTF-8", "\"\xed\xa0\x80\"", false}, {"a pair of surrogates in UTF-8", "\"\xed\xa0\xb4\xed\xb4\x9e\"", false},
	{"beyond the last character", "\"\xf4\x90\x80\x80\"", false}, {"five bytes", "\"\xf8\x88\x80\x80\x80\"", false}, {"a lone continuation", "\"\x80\"", false},
	{"a cut character", "\"\xe2\x82\"", false}, {"a cut character of four bytes", "\"\xf0\x9f\x98\"", false}, {"a bad byte in a key", "{\"\xff\":1}", false},
	{"a key twice", `{"a":1,"a":1}`, false}, {"a key twice, one escaped", `{"a":1,"\u0061":1}`, false}, {"two keys that fold to one, of the sender's own", `{"a":1,"A":1}`, true},
	{"two keys of which one is composed", "{\"\u00e9\":1,\"e\u0301\":1}", true}, {"an integer of 400 digits", strings.Repeat("9", 400), false},
	{"a number too large", "1e400", false}, {"a negative one", "-1e400", false}, {"an exponent of 30 digits", "1e" + strings.Repeat("9", 30), false},
	{"a number too small", "1e-400", true}, {"a small exponent of 30 digits", "1e-" + strings.Repeat("9", 30), true}, {"an integer beyond 2^53", "9007199254740993", true},
	{"an integer beyond 2^64", "18446744073709551617", true}, {"a fraction of 400 digits", "0." + strings.Repeat("3", 400), true}, {"minus nothing", "-0", true},
	{"30 lists deep", strings.Repeat("[", 30) + strings.Repeat("]", 30), true}, {"500 lists deep", strings.Repeat("[", 500) + strings.Repeat("]", 500), false},
	{"NUL in a string", `"\u0000"`, true}, {"a noncharacter", "\"\ufffe\"", true}, {"a byte order mark in a string", "\"\ufeff\"", true},
}
