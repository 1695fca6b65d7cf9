package spectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// resource names the description for the compiler of its schemas.
const resource = "latchkey:///openapi.json"

// document is a description as JSON has it, and the compiler of its schemas.
type document struct {
	root     any
	compiler *compiler
}

// compiler compiles one schema after the other, which is all that jsonschema's
// can do.
type compiler struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

// newDocument takes what the YAML parser made of a description.
func newDocument(root any) (document, error) {
	text, err := json.Marshal(root)
	if err != nil {
		return document{}, fmt.Errorf("read description as JSON: %w", err)
	}
	if root, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		return document{}, fmt.Errorf("read description as JSON: %w", err)
	}
	inner := jsonschema.NewCompiler()
	inner.DefaultDraft(jsonschema.Draft2020)
	inner.AssertFormat()
	if err := inner.AddResource(resource, root); err != nil {
		return document{}, fmt.Errorf("add description: %w", err)
	}
	return document{root: root, compiler: &compiler{compiler: inner}}, nil
}

// schema is one schema of the description, compiled when it is first needed.
type schema struct {
	document document
	pointer  string
	once     sync.Once
	compiled *jsonschema.Schema
	err      error
}

// check returns what is wrong with a value, as decoded by
// jsonschema.UnmarshalJSON. A nil schema takes everything.
func (s *schema) check(value any) []string {
	if s == nil {
		return nil
	}
	s.once.Do(func() {
		shared := s.document.compiler
		shared.mu.Lock()
		defer shared.mu.Unlock()
		s.compiled, s.err = shared.compiler.Compile(resource + "#" + s.pointer)
	})
	if s.err != nil {
		return []string{fmt.Sprintf("the schema at %s can't be used: %v", s.pointer, s.err)}
	}
	err := s.compiled.Validate(value)
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		findings := leaves(wrong)
		slices.Sort(findings)
		return slices.Compact(findings)
	}
	if err != nil {
		return []string{err.Error()}
	}
	return nil
}

// leaves returns the innermost causes. They name places and rules, never the
// texts, which may be secrets.
func leaves(wrong *jsonschema.ValidationError) []string {
	if len(wrong.Causes) > 0 {
		var all []string
		for _, cause := range wrong.Causes {
			all = append(all, leaves(cause)...)
		}
		return all
	}
	place := strings.Join(wrong.InstanceLocation, ".")
	if place != "" {
		place += ": "
	}
	switch rule := wrong.ErrorKind.(type) {
	case *kind.Pattern:
		return []string{place + "does not match " + rule.Want}
	case *kind.Format:
		return []string{place + "is no " + rule.Want}
	case *kind.FalseSchema:
		return []string{place + "may not be there"}
	case *kind.Enum:
		return []string{place + fmt.Sprintf("is none of %v", rule.Want)}
	case *kind.Const:
		return []string{place + fmt.Sprintf("is not %v", rule.Want)}
	}
	return []string{place + wrong.ErrorKind.LocalizedString(message.NewPrinter(language.English))}
}
