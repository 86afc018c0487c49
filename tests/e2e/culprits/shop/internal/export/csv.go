// Package export writes anything as a table.
package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
)

func cells(record interface{}) []string {
	value := reflect.ValueOf(record)
	var row []string
	for i := 0; i < value.NumField(); i++ {
		if name := value.Type().Field(i).Tag.Get("csv"); name != "-" {
			row = append(row, fmt.Sprint(value.Field(i).Interface()))
		}
	}
	return row
}

// CSV writes records, which are structs.
func CSV(out io.Writer, records []interface{}) error {
	table := csv.NewWriter(out)
	for _, record := range records {
		if err := table.Write(cells(record)); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}
