package latchkey_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"latchkey"
)

// What ten million secrets may look like. Chi squared with 61 degrees of
// freedom exceeds the limit with p = 10^-6.
const (
	drawnSecrets    = 10_000_000
	secretLetters   = 43
	chiSquaredLimit = 128.5
)

func TestSecretsCarry256BitsAndDoNotMeet(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "secrets")
	build := exec.CommandContext(t.Context(), "go", "build", "-race=false", "-o", binary, "./testdata/secrets")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	output, err := exec.CommandContext(t.Context(), binary, strconv.Itoa(drawnSecrets)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Drawn, Shortest, Foreign, Duplicates int
		ChiSquared                           []float64
	}
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("RESULT S-6.duplicates %d 0\n", found.Duplicates)
	fmt.Printf("RESULT S-6.duplicates.n %d %d\n", found.Drawn, drawnSecrets)
	fmt.Printf("RESULT S-6.letters %d %d\n", found.Shortest, secretLetters)
	fmt.Printf("RESULT S-6.chi2 %.1f %.1f\n", slices.Max(found.ChiSquared), chiSquaredLimit)
	if found.Drawn != drawnSecrets || found.Duplicates != 0 || found.Foreign != 0 || found.Shortest != secretLetters {
		t.Errorf("%d secrets: %d came twice, %d letters of another alphabet, the shortest has %d",
			found.Drawn, found.Duplicates, found.Foreign, found.Shortest)
	}
	for position, chi := range found.ChiSquared {
		if chi > chiSquaredLimit {
			t.Errorf("at position %d chi squared is %.1f", position, chi)
		}
	}
}

func TestASecretOf43LettersHasMoreThan256Bits(t *testing.T) {
	possible := new(big.Int).Exp(big.NewInt(62), big.NewInt(secretLetters), nil)
	if least := new(big.Int).Lsh(big.NewInt(1), 256); possible.Cmp(least) <= 0 { // 62^43 > 2^256
		t.Errorf("there are %s secrets, want more than %s", possible, least)
	}
	fmt.Printf("RESULT S-6.bits %d 256\n", possible.BitLen()-1)
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
