package reference

import (
	"regexp"
	"strings"
)

// block is a paragraph, or a heading, of a description's text.
type block struct {
	Heading bool
	ID      string // of a heading
	Spans   []span
}

// span is a piece of a paragraph: plain, code, or a link within the page.
type span struct {
	Code bool
	Link string // the id it leads to; "" for none
	Text string
}

// parseProse reads the little of CommonMark that descriptions use: paragraphs,
// headings of the second level, code spans, and links within the page. All
// else stays the text that it is.
func parseProse(text string) []block {
	var blocks []block
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraph = strings.TrimSpace(paragraph)
		if paragraph == "" {
			continue
		}
		if heading, ok := strings.CutPrefix(paragraph, "## "); ok {
			blocks = append(blocks, block{Heading: true, ID: anchor("about-" + heading), Spans: parseLine(heading)})
			continue
		}
		blocks = append(blocks, block{Spans: parseLine(paragraph)})
	}
	return blocks
}

// inline finds code spans and links within the page.
var inline = regexp.MustCompile("`([^`]+)`" + `|\[([^\]]+)\]\(#([^)]+)\)`)

func parseLine(line string) []span {
	var spans []span
	end := 0
	for _, found := range inline.FindAllStringSubmatchIndex(line, -1) {
		if found[0] > end {
			spans = append(spans, span{Text: line[end:found[0]]})
		}
		if found[2] >= 0 {
			spans = append(spans, span{Code: true, Text: line[found[2]:found[3]]})
		} else {
			spans = append(spans, span{Text: line[found[4]:found[5]], Link: anchor(line[found[6]:found[7]])})
		}
		end = found[1]
	}
	if end < len(line) {
		spans = append(spans, span{Text: line[end:]})
	}
	return spans
}

// anchor makes a text fit to be an id: everything but letters, digits, dots,
// hyphens and underscores becomes a hyphen.
func anchor(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune(".-_", c) {
			return c
		}
		return '-'
	}, text)
}
