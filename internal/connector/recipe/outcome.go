package recipe

import (
	"go.yaml.in/yaml/v3"

	"latchkey"
)

// verdict is what an answer means.
type verdict string

// The verdicts, as recipes write them.
const (
	verdictDone        verdict = "done"
	verdictLocked      verdict = "locked"
	verdictDenied      verdict = "denied"
	verdictUnavailable verdict = "unavailable"
	verdictBlocked     verdict = "blocked"
	verdictGoto        verdict = "goto"
	verdictPrompt      verdict = "prompt"
	verdictTwoFactor   verdict = "2fa"
	verdictWait        verdict = "wait"
	verdictRefused     verdict = "refused"
)

// outcome is a verdict and what it names: a step, a prompt or, for refused, a
// failure code.
type outcome struct {
	verdict verdict
	name    string
	line    int
}

// UnmarshalYAML reads `done` or `goto: step`; the schema has checked the words.
func (o *outcome) UnmarshalYAML(node *yaml.Node) error {
	o.line = node.Line
	switch {
	case node.Kind == yaml.ScalarNode:
		o.verdict = verdict(node.Value)
	case node.Kind == yaml.MappingNode && len(node.Content) == 2:
		o.verdict, o.name = verdict(node.Content[0].Value), node.Content[1].Value
	default:
		return mistakef(node.Line, "want one outcome, as done or {goto: step}")
	}
	return nil
}

// code returns the failure code of a refusal.
func (o outcome) code() latchkey.FailureCode { return latchkey.FailureCode(o.name) }
