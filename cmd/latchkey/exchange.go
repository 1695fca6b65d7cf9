package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"latchkey/internal/app"
)

// maxExcerpt bounds what is printed of a body, in bytes.
const maxExcerpt = 1200

// exchangeLine is what --json prints of an exchange.
type exchangeLine struct {
	Exchange shownExchange `json:"exchange"`
}

// shownExchange is an exchange for machines.
type shownExchange struct {
	Method          string              `json:"method"`
	URL             string              `json:"url"`
	RequestHeaders  map[string][]string `json:"requestHeaders"`
	RequestBody     string              `json:"requestBody,omitzero"`
	Status          int                 `json:"status,omitzero"`
	ResponseHeaders map[string][]string `json:"responseHeaders,omitzero"`
	ResponseBody    string              `json:"responseBody,omitzero"`
	Failure         string              `json:"failure,omitzero"`
}

func shown(exchange app.RecipeExchange) shownExchange {
	return shownExchange{
		Method: exchange.Method, URL: exchange.URL, RequestHeaders: exchange.RequestHeader,
		RequestBody: excerpt(exchange.RequestBody), Status: exchange.Status, ResponseHeaders: exchange.Header,
		ResponseBody: excerpt(exchange.Body), Failure: exchange.Failure,
	}
}

// printExchange prints an exchange for people: what was sent, then what came.
func printExchange(terminal *terminal, exchange app.RecipeExchange) {
	_, _ = fmt.Fprintf(terminal.out, "\n> %s %s\n", exchange.Method, exchange.URL)
	printSide(terminal.out, "> ", exchange.RequestHeader, exchange.RequestBody)
	if exchange.Failure != "" {
		_, _ = fmt.Fprintf(terminal.out, "< no answer: %s\n", exchange.Failure)
		return
	}
	_, _ = fmt.Fprintf(terminal.out, "< %d %s\n", exchange.Status, http.StatusText(exchange.Status))
	printSide(terminal.out, "< ", exchange.Header, exchange.Body)
}

// printSide prints the headers and the beginning of the body, each line after
// the mark.
func printSide(out io.Writer, mark string, header http.Header, body []byte) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			_, _ = fmt.Fprintf(out, "%s%s: %s\n", mark, name, printable(value))
		}
	}
	if text := excerpt(body); text != "" {
		_, _ = fmt.Fprintln(out, mark)
		for line := range strings.Lines(text) {
			_, _ = fmt.Fprintf(out, "%s%s\n", mark, strings.TrimRight(line, "\r\n"))
		}
	}
}

// excerpt returns the beginning of a body as it may be printed.
func excerpt(body []byte) string {
	if !utf8.Valid(body) {
		return fmt.Sprintf("(%d bytes that are no text)", len(body))
	}
	body = bytes.TrimSpace(body)
	cut := len(body) > maxExcerpt
	if cut {
		body = bytes.ToValidUTF8(body[:maxExcerpt], nil)
	}
	text := printable(string(body))
	if cut {
		text += " …"
	}
	return text
}

// printable leaves out what would steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\n' && r != '\t') || (r >= 0x7f && r < 0xa0) {
			return -1
		}
		return r
	}, text)
}
