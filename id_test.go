package latchkey_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"latchkey"
)

func TestSecretsCarry256BitsAndDoNotMeet(t *testing.T) {
	const drawn = 100_000
	seen := make(map[string]bool, drawn)
	counts := map[byte]int{}
	for range drawn {
		secret := latchkey.NewSecretID(rand.Reader, latchkey.PrefixClientSecret)
		text := strings.TrimPrefix(secret, latchkey.PrefixClientSecret)
		if len(text) < 43 || !latchkey.ValidID(secret, latchkey.PrefixClientSecret) {
			t.Fatalf("a secret of %d characters", len(text))
		}
		seen[secret] = true
		for i := range len(text) {
			counts[text[i]]++
		}
	}
	fmt.Printf("RESULT S-6.duplicates %d 0\n", drawn-len(seen))
	if len(seen) != drawn {
		t.Errorf("%d secrets came twice", drawn-len(seen))
	}
	// Chi-squared with 61 degrees of freedom: 137 has p < 10^-7.
	expected := float64(drawn*43) / 62
	chi := 0.0
	for _, count := range counts {
		chi += (float64(count) - expected) * (float64(count) - expected) / expected
	}
	fmt.Printf("RESULT S-6.chi2 %.1f 137\n", chi)
	if len(counts) != 62 || chi > 137 {
		t.Errorf("%d letters, chi squared %.1f", len(counts), chi)
	}
}

func TestIDsWithoutRandomnessPanicRatherThanRepeat(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an id was made without randomness")
		}
	}()
	latchkey.NewID(iotest.ErrReader(errors.New("no entropy")), latchkey.PrefixEvent)
}

func TestOnlyLettersAndDigitsFollowAPrefix(t *testing.T) {
	for id, valid := range map[string]bool{
		"app_a1B2": true, "app_" + strings.Repeat("x", 64): true,
		"app_": false, "app": false, "": false, "APP_a": false, "conn_a": false, "app_a-b": false, "app_a b": false,
		"app_é": false, "app_a\x00": false, "app_../x": false, "app_" + strings.Repeat("x", 65): false,
	} {
		if latchkey.ValidID(id, latchkey.PrefixClientApp) != valid {
			t.Errorf("%q: want valid=%v", id, valid)
		}
	}
}

func TestTheHashOfASecretIsItsSHA256(t *testing.T) {
	// The SHA-256 of "abc" (FIPS 180-4, appendix B.1), in base64url.
	if got := latchkey.HashSecret("abc"); got != "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" {
		t.Errorf("got %s", got)
	}
}
