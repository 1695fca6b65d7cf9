package tenanttest

import (
	"fmt"
	"net/url"
	"strings"
)

// spelling is an id as somebody may send it.
type spelling struct {
	name  string
	text  string // in a header or a body
	path  string // in a path, escaped
	exact bool   // it is the id itself
}

// plain is a spelling that is escaped as it must be.
func plain(name, text string) spelling {
	return spelling{name: name, text: text, path: url.PathEscape(text)}
}

// hexadecimal escapes every byte.
func hexadecimal(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

// swapped exchanges capitals and small letters behind the prefix.
func swapped(id string) string {
	at := strings.Index(id, "_") + 1
	return id[:at] + strings.Map(func(r rune) rune {
		if up := []rune(strings.ToUpper(string(r)))[0]; up != r {
			return up
		}
		return []rune(strings.ToLower(string(r)))[0]
	}, id[at:])
}

// spellings are the ways to write an id; others are ids of other kinds.
func spellings(id string, others map[kind]string) []spelling {
	at := strings.Index(id, "_") + 1
	prefix, rest := id[:at], id[at:]
	list := []spelling{
		{name: "exact", text: id, path: id},
		{name: "percent-encoded", text: id, path: hexadecimal(id)},
		{name: "encoded twice", text: hexadecimal(id), path: url.PathEscape(hexadecimal(id))},
		plain("one less", id[:len(id)-1]), plain("two less", id[:len(id)-2]), plain("half", id[:at+len(rest)/2]),
		plain("the prefix", prefix), plain("without prefix", rest), plain("the first letter less", prefix+rest[1:]),
		plain("one more", id+"0"), plain("a letter more", id+"a"), plain("one before", prefix+"0"+rest), plain("twice", id+id),
		plain("upper case", strings.ToUpper(id)), plain("lower case", strings.ToLower(id)),
		plain("swapped case", swapped(id)), plain("prefix in capitals", strings.ToUpper(prefix)+rest),
		plain("NUL", id+"\x00"), plain("NUL and more", id+"\x00x"), plain("a slash", id+"/"), plain("a slash inside", id[:at+2]+"/"+id[at+2:]),
		plain("dots before", "../"+id), plain("dots behind", id+"/.."), plain("a backslash", id+`\`), plain("a space", id+" "),
		plain("a space before", " "+id), plain("a tab", id+"\t"), plain("a line", id+"\n"), plain("a semicolon", id+";x=1"),
		plain("a comma", id+","+id), plain("a quote", id+"'"), plain("or true", id+"' OR '1'='1"), plain("a comment", id+"'--"),
		plain("percent", prefix+"%"), plain("underscore", prefix+strings.Repeat("_", len(rest))), plain("star", prefix+"*"),
		plain("null", "null"), plain("undefined", "undefined"), plain("zero", "0"), plain("minus", "-1"), plain("brackets", "["+id+"]"),
		plain("65 characters", prefix+strings.Repeat("x", 65)), plain("long", prefix+strings.Repeat("x", 1000)),
		plain("fullwidth", prefix+"ａ"+rest[1:]), plain("a mark", id+"\u0301"), plain("zero width", id+"\u200b"), plain("no UTF-8", id+"\xff"),
		plain("another of its kind", prefix+strings.Repeat("7", len(rest))),
	}
	for _, other := range kinds {
		if others[other] != id {
			list = append(list, plain("the id of a "+string(other), others[other]))
		}
		if before := others[other][:strings.Index(others[other], "_")+1]; before != prefix {
			list = append(list, plain("as a "+string(other), before+rest))
		}
	}
	for i, written := range list { // an id without a prefix is itself in several ways
		list[i].exact = written.text == id && (written.path == id || written.path == hexadecimal(id))
	}
	return list
}
