package proxy_test

import (
	"fmt"
	"strings"
)

// smuggling is an attempt to have bytes read in two ways. In the text, {HEAD}
// is the request line of the case without its end, {AUTH} the lines that
// authenticate, {NEXT} a whole request that hides within.
type smuggling struct {
	name, text string
	// plain says that the server itself must refuse it, with 400 and the end of
	// the connection.
	plain bool
}

// smugglings are all attempts: each spelling of a transfer coding, between a
// length that a reader of the coding ignores and one that a reader of the
// length does, and those of our own.
func smugglings() []smuggling {
	var all []smuggling
	for _, coding := range codings() {
		all = append(all,
			smuggling{name: "CL.TE " + coding, text: "{POST}{AUTH}Content-Length: {LEN:0\r\n\r\n{NEXT}}\r\n" + coding + "\r\n\r\n0\r\n\r\n{NEXT}"},
			smuggling{name: "TE.CL " + coding, text: "{POST}{AUTH}Content-Length: 4\r\n" + coding + "\r\n\r\n{HEX:{NEXT}}\r\n{NEXT}\r\n0\r\n\r\n"})
	}
	return append(all, ours()...)
}

// codings are the spellings of "Transfer-Encoding: chunked" that the tool
// smuggler (defparam/smuggler, its list "exhaustive") tries.
func codings() []string {
	all := []string{
		"Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: \"chunked\"",
		"Transfer-Encoding:\r\n chunked", "Transfer-Encoding\r\n : chunked", " Transfer-Encoding: chunked", "X: y\r\n Transfer-Encoding: chunked",
		"X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked", "X: y\r\rTransfer-Encoding: chunked",
		"transfer-encoding: CHUNKED", "Transfer_Encoding: chunked", "Transfer-Encoding: chunk", "Transfer-Encoding: chunkedchunked",
		"Content-Encoding: chunked", "Transfer-Encoding:chunked\x00", "Trans\x00fer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "TE: chunked", "Transfer%2DEncoding: chunked",
	}
	for c := range 256 {
		if c > 0x20 && c < 0x7f || c == 0 {
			continue
		}
		b := string([]byte{byte(c)})
		all = append(all,
			b+"Transfer-Encoding: chunked", "Transfer-Encoding"+b+": chunked", "Transfer-Encoding:"+b+"chunked",
			"Transfer-Encoding: chunked"+b, "X: X"+b+"Transfer-Encoding: chunked", "Transfer-Encoding: chunked"+b+"X: X",
			"X: X\r"+b+"Transfer-Encoding: chunked", "X: X"+b+"\nTransfer-Encoding: chunked",
			"Transfer-Encoding: chunked\r"+b+"X: X", "Transfer-Encoding: chunked"+b+"\nX: X")
	}
	return all
}

// ours are attempts by other means.
func ours() []smuggling {
	var all []smuggling
	refused := func(name, text string) { all = append(all, smuggling{name, text, true}) }
	passed := func(name, text string) { all = append(all, smuggling{name, text, false}) }
	for _, length := range []string{
		"+5", "-5", "05", "0x5", "5, 5", "5,6", "5 5", "\"5\"", "5.0", "5e0", "", " ", "5\x0b", "99999999999999999999", "\u0665",
	} {
		refused("a length of "+length, "{POST}{AUTH}Content-Length: "+length+"\r\n\r\nabcde")
	}
	refused("a length beside chunks", "{POST}{AUTH}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	refused("chunks beside a length", "{POST}{AUTH}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")
	refused("two lengths", "{POST}{AUTH}Content-Length: 0\r\nContent-Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	refused("the same length twice", "{POST}{AUTH}Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde")
	refused("a length and its name with a space", "{POST}{AUTH}Content-Length : 5\r\n\r\nabcde")
	refused("a length in a folded line", "{POST}{AUTH}Content-Length:\r\n {LEN:{NEXT}}\r\n\r\n{NEXT}")
	refused("a length in a name with an underscore", "{POST}{AUTH}Content_Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	refused("lines that end in LF", "{GET:\n}Host: latchkey\n{AUTH:\n}\n")
	refused("one line that ends in LF", "{GET}{AUTH}X: y\nZ: w\r\n\r\n")
	refused("one line that ends in CR", "{GET}{AUTH}X: y\rZ: w\r\n\r\n")
	refused("an end in LF", "{GET}{AUTH}\n")
	refused("a folded line", "{GET}{AUTH}X: y\r\n z\r\n\r\n")
	refused("a folded line with a tab", "{GET}{AUTH}X: y\r\n\tz\r\n\r\n")
	refused("two hosts", "{GET}{AUTH}Host: other\r\n\r\n")
	refused("HTTP/1.0 in chunks", "{POST:HTTP/1.0}{AUTH}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{NEXT}")
	refused("HTTP/0.9", "{GET:}")
	refused("HTTP/1.2", "{GET:HTTP/1.2}{AUTH}\r\n")
	refused("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	refused("a word too many", "{GET:x HTTP/1.1}{AUTH}\r\n")
	for _, chunk := range []string{
		"5 \r\nabcde\r\n", "5\nabcde\r\n", "5\r\nabcde\n", "0x5\r\nabcde\r\n", "+5\r\nabcde\r\n", "5\r\nabcdef\r\n", "-1\r\n", "\r\n",
		"fffffffffffffffff\r\n", "5;a\rb\r\nabcde\r\n", "5;\x00\r\nabcde\r\n", "5\r\nabcde", "5 ;a\r\nabcde\r\n", "5\r\rabcde\r\n",
	} {
		passed("a chunk like "+chunk, "{POST}{AUTH}Transfer-Encoding: chunked\r\n\r\n"+chunk+"0\r\n\r\n{NEXT}")
	}
	for _, chunk := range []string{"5;a=b\r\nabcde\r\n", "005\r\nabcde\r\n", "5;a=\"{LEN:{NEXT}}\"\r\nabcde\r\n"} {
		passed("a chunk such as "+chunk, "{POST}{AUTH}Transfer-Encoding: chunked\r\n\r\n"+chunk+"0\r\n\r\n")
	}
	passed("a trailer that sets the length", "{POST}{AUTH}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	passed("a trailer that authenticates", "{POST}{AUTH}Transfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE"} {
		passed(method+" with a body", "{"+method+"}{AUTH}Content-Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	}
	passed("a body that is expected", "{POST}{AUTH}Expect: 100-continue\r\nContent-Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	passed("an absolute target", "POST http://other.example{PATH} HTTP/1.1\r\n{AUTH}Content-Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	passed("empty lines before it", "\r\n\r\n{GET}{AUTH}\r\n")
	passed("an empty line after a POST", "{POST}{AUTH}Content-Length: 1\r\n\r\na\r\n")
	passed("a length that the connection names", "{POST}{AUTH}Connection: Content-Length\r\nContent-Length: {LEN:{NEXT}}\r\n\r\n{NEXT}")
	passed("a coding that the connection names", "{POST}{AUTH}Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	return all
}

// spell fills a case in. Its requests carry the key and the connection, so that
// any of them is served that is read as one.
func (c smuggling) spell(path, key, connection string) string {
	credentials := "apikey: " + key + "\r\nx-connection-id: " + connection + "\r\n"
	next := "GET " + path + "/next HTTP/1.1\r\nHost: latchkey\r\n" + credentials + "\r\n"
	text := c.text
	for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "DELETE"} {
		line := method + " " + path + "/first "
		text = strings.ReplaceAll(text, "{"+method+"}", line+"HTTP/1.1\r\nHost: latchkey\r\n")
		for _, version := range []string{"HTTP/1.0", "HTTP/1.2", "x HTTP/1.1"} {
			text = strings.ReplaceAll(text, "{"+method+":"+version+"}", line+version+"\r\nHost: latchkey\r\n")
		}
		text = strings.ReplaceAll(text, "{"+method+":\n}", line+"HTTP/1.1\n")
		text = strings.ReplaceAll(text, "{"+method+":}", strings.TrimSpace(line)+"\r\n")
	}
	for old, is := range map[string]string{
		"{PATH}": path + "/first", "{AUTH}": credentials, "{AUTH:\n}": strings.ReplaceAll(credentials, "\r", ""),
		"{HEX:{NEXT}}": fmt.Sprintf("%x", len(next)), "{LEN:{NEXT}}": fmt.Sprint(len(next)),
		"{LEN:0\r\n\r\n{NEXT}}": fmt.Sprint(len("0\r\n\r\n") + len(next)),
	} {
		text = strings.ReplaceAll(text, old, is)
	}
	return strings.ReplaceAll(text, "{NEXT}", next)
}
