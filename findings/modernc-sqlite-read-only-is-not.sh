#!/bin/bash
# Software: modernc.org/sqlite v1.62.0 (Go). The first build of it takes long.
#
# sql.Open("sqlite", "queue.db?mode=ro") looks like a read-only database, and fails
# for a file that is not there: so one would expect. What stands behind the question
# mark is read by the driver for its own options only, and a name that does not
# begin with "file:" goes to SQLite without it: the file is created, and can be
# written to. With "file:" the same words mean what they say. And a datetime column
# is a time.Time, but max() of it is a string.
#
# Seen:
#   queue.db?mode=ro, no such file: table created: true, file there: true
#   file:other.db?mode=ro, no such file: table created: false, file there: false
#   type of a datetime column and of its max(): time.Time string
. "$(dirname "$0")/common.bash"
go_modules modernc.org/sqlite@v1.62.0
cat >main.go <<'G'
package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "modernc.org/sqlite"
)

func try(name, file string) {
	db, err := sql.Open("sqlite", name)
	if err != nil {
		panic(err)
	}
	_, err = db.Exec("CREATE TABLE t (at DATETIME)")
	_, missing := os.Stat(file)
	fmt.Printf("table created: %t, file there: %t\n", err == nil, missing == nil)
	if err != nil {
		return
	}
	var at, last any
	db.Exec("INSERT INTO t VALUES ('2026-01-02 03:04:05')")
	db.QueryRow("SELECT at FROM t").Scan(&at)
	db.QueryRow("SELECT max(at) FROM t").Scan(&last)
	fmt.Printf("%T %T\n", at, last)
}

func main() {
	try("queue.db?mode=ro", "queue.db")
	try("file:other.db?mode=ro", "other.db")
}
G
go build -o program .
./program >seen
observed "queue.db?mode=ro, no such file" "table created: true, file there: true" "$(sed -n 1p seen)"
observed "file:other.db?mode=ro, no such file" "table created: false, file there: false" "$(sed -n 3p seen)"
observed "type of a datetime column and of its max()" "time.Time string" "$(sed -n 2p seen)"
