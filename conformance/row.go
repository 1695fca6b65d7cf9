package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is one statement of the contract, and how it is checked. Rows are
// independent: each makes what it needs, under names that no other run uses.
type row struct {
	id        string        // section.area.fact
	statement string        // in a few words
	plus      bool          // marked + in the contract: an addition to the original API
	takes     time.Duration // about, when that is seconds; such rows begin first
	long      bool          // takes longer than a minute: only when asked for
	check     func(*suite)
}

// section returns the section of the contract that the row is of.
func (r row) section() string {
	section, _, _ := strings.Cut(r.id, ".")
	return section
}

// allRows returns every row, in the order of the contract.
func allRows() []row {
	return slices.Concat(
		authRows, conventionRows, bodyRows, pagingRows, errorRows,
		initRows, initRedirectRows, initPlusRows,
		sessionRows, submitRows,
		pageRows, formRows, redirectRows, embedRows, confirmRows,
		accountRows, connectionRows, reconnectRows, importRows, optionRows, clientAppRows, apiKeyRows, endpointRows,
		eventRows, auditRows, sessionListRows,
		accessRows, webhookRows, deliveryRows, replayRows, probeRows, sandboxRows,
	)
}

// selectRows returns the rows that were asked for.
func selectRows(rows []row, given options) ([]row, error) {
	var chosen []row
	for _, r := range rows {
		if matches(r, given.only) && (!given.core || !r.plus) && (given.long || !r.long) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no row is chosen by --only %q", given.only)
	}
	return chosen, nil
}

// matches reports whether the row is one of those named: by its section, with
// or without §, by its id, or by the beginning of its id.
func matches(r row, only string) bool {
	if only == "" {
		return true
	}
	for name := range strings.SplitSeq(only, ",") {
		name = strings.TrimPrefix(strings.TrimSpace(name), "§")
		if r.id == name || strings.HasPrefix(r.id, name+".") {
			return true
		}
	}
	return false
}
