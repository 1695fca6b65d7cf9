package store

import (
	"fmt"
	"os"
	"testing"
)

// markOf reads the mark beside a database.
func markOf(t *testing.T, path string) (mark logMark) {
	t.Helper()
	text, err := os.ReadFile(path + markSuffix)
	if err == nil {
		_, err = fmt.Sscan(string(text), &mark.salt1, &mark.salt2, &mark.frames, &mark.size, &mark.changed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mark
}

// The file is looked at only when the log was copied. Another one who has it open may
// have done that: the mark after the next commit is of the file as it is then.
func TestAMarkIsOfTheFileThatAnotherHasCopiedTheLogInto(t *testing.T) {
	e, path := writerOf(t)
	if err := e.write(t.Context(), noting("before")); err != nil {
		t.Fatal(err)
	}
	before := markOf(t, path)
	if err := copyLog(e.writer.copier.db); err != nil { // a connection that the writer hears nothing of
		t.Fatal(err)
	}
	if err := e.write(t.Context(), noting("after")); err != nil {
		t.Fatal(err)
	}
	like, err := likeness(path)
	if err != nil {
		t.Fatal(err)
	}
	after := markOf(t, path)
	if after.size != like.size || after.changed != like.changed {
		t.Errorf("the mark is of a file like %d, %d, and it is like %+v", after.size, after.changed, like)
	}
	if after.size == before.size && after.changed == before.changed {
		t.Error("the log was not copied into the file")
	}
}
