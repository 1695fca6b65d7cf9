package spectest_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"latchkey/internal/latchtest/spectest"
)

// published is the real description, read once.
var published = sync.OnceValues(func() (*spectest.Spec, error) {
	text, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		return nil, err
	}
	return spectest.New(text)
})

func realSpec(t testing.TB) *spectest.Spec {
	t.Helper()
	spec, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestEveryMutantIsFound(t *testing.T) {
	spec := realSpec(t)
	mutants, missed := 0, 0
	for _, g := range goodAnswers {
		exchange := g.exchange()
		for _, finding := range spec.Check(exchange) {
			t.Errorf("%s, as it should be: %s", g.name, finding)
		}
		borne := map[string]bool{}
		for _, mutant := range spectest.MutateAnswer(exchange) {
			mutants++
			found := len(spec.Check(mutant)) > 0
			may := slices.Contains(g.may, mutant.Mutation)
			if !found && !may {
				missed++
				t.Errorf("%s %s is not found", g.name, mutant.Mutation)
			}
			if may {
				borne[mutant.Mutation] = true
				if found {
					t.Errorf("%s %s is optional and was refused: %s", g.name, mutant.Mutation, spec.Check(mutant))
				}
			}
		}
		if len(borne) != len(g.may) {
			t.Errorf("%s: there are no such changes among %v", g.name, g.may)
		}
	}
	fmt.Printf("RESULT spec.mutants-missed %d 0\n", missed)
	t.Logf("%d good answers, %d mutants", len(goodAnswers), mutants)
	if mutants < 1000 {
		t.Errorf("only %d mutants", mutants)
	}
}

func TestMutateAnswerChangesOneThingAtATime(t *testing.T) {
	exchange := spectest.Exchange{Method: "GET", Path: "/", Status: 200, ResponseBody: []byte(`{"a":[{"b":1}]}`)}
	bodies := map[string]string{}
	statuses := map[int]bool{}
	for _, mutant := range spectest.MutateAnswer(exchange) {
		if mutant.Status != 200 {
			statuses[mutant.Status] = true
			if string(mutant.ResponseBody) != string(exchange.ResponseBody) {
				t.Errorf("%s changed the body too", mutant.Mutation)
			}
			continue
		}
		bodies[mutant.Mutation] = string(mutant.ResponseBody)
	}
	for mutation, want := range map[string]string{
		"without a": `{}`, "without a.0.b": `{"a":[{}]}`,
		"with a.0.unknownField": `{"a":[{"b":1,"unknownField":{}}]}`, "with unknownField": `{"a":[{"b":1}],"unknownField":{}}`,
	} {
		if bodies[mutation] != want {
			t.Errorf("%s: %s, want %s", mutation, bodies[mutation], want)
		}
	}
	if len(bodies) != 4 || len(statuses) < 10 || statuses[200] {
		t.Errorf("bodies %v, statuses %v", bodies, statuses)
	}
}

func BenchmarkCheck(b *testing.B) {
	spec := realSpec(b)
	for _, g := range goodAnswers {
		if !slices.Contains([]string{"a connection", "events", "client apps", "init, hosted", "a wrong key"}, g.name) {
			continue
		}
		b.Run(g.name, func(b *testing.B) {
			exchange := g.exchange()
			for b.Loop() {
				if findings := spec.Check(exchange); len(findings) > 0 {
					b.Fatal(findings)
				}
			}
		})
	}
}
