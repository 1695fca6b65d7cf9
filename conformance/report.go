package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// seenLimit bounds what the table shows of a failure, in characters.
const seenLimit = 700

// tally counts verdicts.
type tally struct {
	Passed        int `json:"passed"`
	Failed        int `json:"failed"`
	NotApplicable int `json:"notApplicable"`
}

func count(verdicts []verdict) tally {
	var sum tally
	for _, v := range verdicts {
		switch v.outcome {
		case passed:
			sum.Passed++
		case failed:
			sum.Failed++
		case notApplicable:
			sum.NotApplicable++
		}
	}
	return sum
}

// report writes the verdicts and returns the exit status.
func report(out io.Writer, verdicts []verdict, asJSON bool) int {
	sum := count(verdicts)
	if asJSON {
		reportJSON(out, verdicts, sum)
	} else {
		reportTable(out, verdicts, sum)
	}
	if sum.Failed > 0 {
		return 1
	}
	return 0
}

func reportTable(out io.Writer, verdicts []verdict, sum tally) {
	width := 0
	for _, v := range verdicts {
		width = max(width, len(v.row.id))
	}
	for _, v := range verdicts {
		_, _ = fmt.Fprintf(out, "%-*s  %-14s  %s\n", width, v.row.id, v.outcome, v.row.statement)
		if v.seen != "" {
			_, _ = fmt.Fprintf(out, "%-*s  %-14s  → %s\n", width, "", "", shorten(v.seen, seenLimit))
		}
	}
	_, _ = fmt.Fprintf(out, "%d passed, %d failed, %d not applicable\n", sum.Passed, sum.Failed, sum.NotApplicable)
}

func reportJSON(out io.Writer, verdicts []verdict, sum tally) {
	type line struct {
		ID        string  `json:"id"`
		Section   string  `json:"section"`
		Statement string  `json:"statement"`
		Plus      bool    `json:"plus"`
		Outcome   outcome `json:"outcome"`
		Seen      string  `json:"seen,omitzero"`
		Seconds   float64 `json:"seconds"`
	}
	type document struct {
		Rows []line `json:"rows"`
		tally
	}
	told := document{tally: sum}
	for _, v := range verdicts {
		told.Rows = append(told.Rows, line{
			v.row.id, v.row.section(), v.row.statement, v.row.plus, v.outcome, v.seen, v.took.Seconds(),
		})
	}
	_ = json.MarshalWrite(out, told, jsontext.WithIndent(" ")) // the reader has gone: nobody is left to tell
	_, _ = fmt.Fprintln(out)
}

// shorten returns the text on one line, cut after limit characters.
func shorten(text string, limit int) string {
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) <= limit {
		return string(letters)
	}
	return string(letters[:limit]) + "…"
}
