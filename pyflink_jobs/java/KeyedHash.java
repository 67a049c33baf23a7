package millstream;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** HMAC-SHA-256 (RFC 2104) of a text's UTF-8 bytes, as 64 hexadecimal digits; NULL of NULL. */
public class KeyedHash extends ScalarFunction {

    private static final String ALGORITHM = "HmacSHA256";

    private final String key;
    private transient Mac mac;

    public KeyedHash(String key) {
        this.key = key;
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        mac = Mac.getInstance(ALGORITHM);
        mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), ALGORITHM));
    }

    public String eval(String text) {
        return text == null ? null : HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    }
}
