package main

import (
	"slices"
	"testing"
)

func TestTheSettingThatClobbersIsAddedOnce(t *testing.T) {
	for name, each := range map[string]struct {
		given, want []string
		ready       bool
	}{
		"none":         {[]string{"A=1"}, []string{"A=1", "GODEBUG=clobberfree=1"}, false},
		"an empty one": {[]string{"GODEBUG=", "A=1"}, []string{"A=1", "GODEBUG=clobberfree=1"}, false},
		"another":      {[]string{"GODEBUG=netdns=go", "A=1"}, []string{"A=1", "GODEBUG=netdns=go,clobberfree=1"}, false},
		"the same":     {[]string{"GODEBUG=netdns=go,clobberfree=1"}, []string{"GODEBUG=netdns=go,clobberfree=1"}, true},
		"its opposite": {[]string{"GODEBUG=clobberfree=0"}, []string{"GODEBUG=clobberfree=0"}, true},
	} {
		if got, ready := clobbering(each.given); ready != each.ready || !slices.Equal(got, each.want) {
			t.Errorf("%s: %q, %v", name, got, ready)
		}
	}
}
