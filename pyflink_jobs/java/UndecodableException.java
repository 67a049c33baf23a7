package millstream;

import java.io.IOException;

/** A record that cannot be decoded, with the whole reason as a sentence for people. */
class UndecodableException extends IOException {

    UndecodableException(String reason) {
        super(reason);
    }

    /** Bad records may come by the million, and nobody reads where each of them was found. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
