// Package sqlite reads the queue that gearmand keeps with libsqlite3. It is
// apart from transfer so that only programs that import carry an SQL engine.
package sqlite

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the driver named sqlite

	"github.com/geargate/geargate/backend/transfer"
	"github.com/geargate/geargate/protocol"
)

// DefaultTable is the table that gearmand keeps its queue in.
const DefaultTable = "gearman_queue"

// Queue returns a source of the queue in a sqlite file. The file is only read.
// gearmand should not run: the source does not see what gearmand does meanwhile.
func Queue(path, table string) transfer.Source {
	return func(after int64, visit func(int64, *transfer.Job) error) error {
		if _, err := os.Stat(path); err != nil {
			return err
		}
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro")
		if err != nil {
			return err
		}
		defer db.Close()
		rows, err := db.Query(fmt.Sprintf(
			"SELECT rowid, unique_key, function_name, priority, data, when_to_run FROM %s WHERE rowid > ? ORDER BY rowid",
			`"`+strings.ReplaceAll(table, `"`, `""`)+`"`), after)
		if err != nil {
			return fmt.Errorf("%s: expected gearmand's table %s: %w", path, table, err)
		}
		defer rows.Close()
		for rows.Next() {
			var number int64
			var unique, function []byte
			var priority, due sql.NullInt64
			var j transfer.Job
			if err := rows.Scan(&number, &unique, &function, &priority, &j.Workload, &due); err != nil {
				return fmt.Errorf("%s: row %d: %w", path, number, err)
			}
			j.Function, j.Unique, j.Due = protocol.Text(function), protocol.Text(unique), due.Int64
			j.Priority = transfer.PriorityName(priority.Int64)
			if err := visit(number, &j); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
