package api

import (
	"bytes"
	_ "embed" // for the description
)

//go:embed openapi.yaml
var description []byte

// Description returns the published description of the whole HTTP API: OpenAPI
// 3.1 in YAML. The caller may change what it gets.
func Description() []byte { return bytes.Clone(description) }
