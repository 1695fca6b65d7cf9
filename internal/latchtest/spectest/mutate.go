package spectest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// UnknownField is the name of the field that MutateAnswer adds.
const UnknownField = "unknownField"

// statuses are those that an answer is moved to.
var statuses = []int{
	http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent, http.StatusBadRequest,
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTeapot, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable,
}

// MutateAnswer returns the exchange with its JSON answer changed in every
// single way: a field removed, an unknown field added to an object, another
// status. Mutation says which: "without a.0.b", "with a.unknownField", "status
// 418". A body that is not JSON has only its status changed.
func MutateAnswer(exchange Exchange) []Exchange {
	var mutants []Exchange
	add := func(mutation string, status int, body []byte) {
		mutant := exchange
		mutant.Mutation, mutant.Status, mutant.ResponseBody = mutation, status, body
		mutants = append(mutants, mutant)
	}
	if value, err := jsonschema.UnmarshalJSON(bytes.NewReader(exchange.ResponseBody)); err == nil {
		mutateObjects(value, "", func(mutation string) {
			body, err := json.Marshal(value)
			if err != nil {
				panic(fmt.Sprintf("encode what was decoded: %v", err))
			}
			add(mutation, exchange.Status, body)
		})
	}
	for _, status := range statuses {
		if status != exchange.Status {
			add("status "+strconv.Itoa(status), status, exchange.ResponseBody)
		}
	}
	return mutants
}

// mutateObjects changes every object in the value in every way, calls changed,
// and changes it back. The prefix is where the value stands, with a dot.
func mutateObjects(value any, prefix string, changed func(mutation string)) {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			mutateObjects(item, prefix+strconv.Itoa(i)+".", changed)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			field := value[name]
			delete(value, name)
			changed("without " + prefix + name)
			value[name] = field
			mutateObjects(field, prefix+name+".", changed)
		}
		value[UnknownField] = map[string]any{}
		changed("with " + prefix + UnknownField)
		delete(value, UnknownField)
	}
}
