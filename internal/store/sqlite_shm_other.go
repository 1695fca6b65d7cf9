//go:build !unix

package store

import "errors"

// commitCount is not to be had here, so nothing is remembered.
type commitCount struct{}

func openCommitCount(string) (*commitCount, error) { return nil, errors.ErrUnsupported }

func (c *commitCount) load() uint32 { return 0 }
