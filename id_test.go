package latchkey_test

import (
	"crypto/rand"
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
	"time"

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

func TestTimedIDsSortByTimeAndAreAsLongAsOthers(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_000)
	before := ""
	for _, later := range []time.Duration{-time.Hour, 0, time.Millisecond, time.Second, 100 * 365 * 24 * time.Hour} {
		id := latchkey.NewTimedID(rand.Reader, latchkey.PrefixSession, now.Add(later))
		if id <= before || len(id) != len(latchkey.NewID(rand.Reader, latchkey.PrefixSession)) || !latchkey.ValidID(id, latchkey.PrefixSession) {
			t.Errorf("after %v: %s, which comes after %s", later, id, before)
		}
		before = id
	}
	if one, other := latchkey.NewTimedID(rand.Reader, "", now), latchkey.NewTimedID(rand.Reader, "", now); one == other || one[:8] != other[:8] {
		t.Errorf("of the same millisecond: %s and %s", one, other)
	}
	if id := latchkey.NewTimedID(rand.Reader, "", time.Time{}); !strings.HasPrefix(id, "00000000") {
		t.Errorf("before 1970: %s", id)
	}
}

func TestAClientSecretIsStoredAsItsTimeAndItsHash(t *testing.T) {
	secret := latchkey.NewClientSecret(rand.Reader, time.UnixMilli(1_790_000_000_000))
	random := latchkey.NewSecretID(rand.Reader, latchkey.PrefixClientSecret)
	if !latchkey.ValidID(secret, latchkey.PrefixClientSecret) || len(secret) != len(random)+8 {
		t.Errorf("the secret has %d letters", len(secret))
	}
	// One of before there were times in them has none.
	for text, want := range map[string]string{secret: secret[3:11] + latchkey.HashSecret(secret), random: latchkey.HashSecret(random), "cs_": latchkey.HashSecret("cs_")} {
		if got := latchkey.HashClientSecret(text); got != want {
			t.Errorf("of %d letters: %s, want %s", len(text), got, want)
		}
	}
	if other := latchkey.NewClientSecret(rand.Reader, time.UnixMilli(1_790_000_000_000)); other == secret || other[:11] != secret[:11] {
		t.Error("two of a millisecond differ in more, or in less, than what is random")
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
