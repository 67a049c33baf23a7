package millstream;

import java.io.Serializable;
import org.apache.flink.table.data.GenericRowData;

/** Reads those records of a format that are plain. */
interface PlainReader extends Serializable {

    /** Fill a row with a record's columns; false if it is not plain, and the row is of no use then. */
    boolean read(byte[] record, GenericRowData row);
}
