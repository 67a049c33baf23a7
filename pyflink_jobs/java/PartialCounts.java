package millstream;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * Partial counts as bytes, which can be added. udfs/distributions/partial.py has the layout and writes the same bytes
 * for the same counts.
 */
public final class PartialCounts {

    private static final int CRC_AT = 12;
    private static final int BODY_AT = 16;
    private static final int SPARSE = 128;
    private static final byte VERSION = 3;
    /** How many new categories of a column are kept: those with the least checksums, as in categories.py. */
    private static final int MOST_NAMES = 32;
    private static final Comparator<byte[]> BY_CHECKSUM =
            Comparator.comparingLong(PartialCounts::crc).thenComparing(Arrays::compareUnsigned);

    private final byte[] features = new byte[8]; // their digest
    private long[] counts;
    private float[] least;
    private float[] most;
    private final TreeMap<Integer, Long> rows = new TreeMap<>(); // by part of the season
    private final TreeMap<Integer, TreeMap<byte[], Long>> names = new TreeMap<>(); // by column, and name in UTF-8

    private PartialCounts(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.get() != 'm' || in.get() != 'h' || in.get() != VERSION) {
            throw new IllegalArgumentException("not partial counts of version " + VERSION);
        }
        int layout = in.get() & 0xff;
        in.get(features);
        if (in.getInt() != (int) checksum(bytes)) {
            throw new IllegalArgumentException("damaged partial counts: their checksum does not match");
        }
        counts = new long[in.getInt()];
        int columns = in.getChar();
        int parts = in.getChar();
        int kept = in.getInt();
        least = floats(in, columns);
        most = floats(in, columns);
        for (int i = 0; i < parts; i++) {
            rows.put((int) in.getChar(), in.getLong());
        }
        for (int i = 0; i < kept; i++) {
            int column = in.getChar();
            byte[] name = new byte[in.getInt()];
            long often = in.getLong();
            in.get(name);
            names.computeIfAbsent(column, c -> new TreeMap<>(Arrays::compareUnsigned)).put(name, often);
        }
        readCounts(in, layout & ~SPARSE, (layout & SPARSE) != 0);
    }

    /** Returns the counts of both samples together. */
    public static byte[] add(byte[] one, byte[] other) {
        PartialCounts sum = new PartialCounts(one);
        sum.add(new PartialCounts(other));
        return sum.bytes();
    }

    /** Returns how many rows were counted. */
    public static long rows(byte[] bytes) {
        return new PartialCounts(bytes).rows.values().stream().mapToLong(Long::longValue).sum();
    }

    private void add(PartialCounts other) {
        if (!Arrays.equals(features, other.features)) {
            throw new IllegalArgumentException("partial counts of different features");
        }
        for (int i = 0; i < counts.length; i++) {
            counts[i] += other.counts[i];
        }
        for (int i = 0; i < least.length; i++) {
            least[i] = Math.min(least[i], other.least[i]);
            most[i] = Math.max(most[i], other.most[i]);
        }
        other.rows.forEach((part, some) -> rows.merge(part, some, Long::sum));
        other.names.forEach((column, added) -> names.merge(column, added, PartialCounts::together));
    }

    private static TreeMap<byte[], Long> together(TreeMap<byte[], Long> one, TreeMap<byte[], Long> other) {
        other.forEach((name, often) -> one.merge(name, often, Long::sum));
        byte[][] beyond = one.keySet().stream().sorted(BY_CHECKSUM).skip(MOST_NAMES).toArray(byte[][]::new);
        for (byte[] name : beyond) {
            one.remove(name);
        }
        return one;
    }

    private void readCounts(ByteBuffer in, int width, boolean sparse) {
        int many = in.remaining() / (width + (sparse ? Character.BYTES : 0));
        int[] at = new int[many];
        for (int i = 0; i < many; i++) {
            at[i] = sparse ? in.getChar() : i;
        }
        for (int i = 0; i < many; i++) {
            counts[at[i]] = read(in, width);
        }
    }

    private byte[] bytes() {
        int width = width(Arrays.stream(counts).max().orElse(0));
        int hit = (int) Arrays.stream(counts).filter(count -> count != 0).count();
        boolean sparse = hit * (Character.BYTES + width) < counts.length * width;
        int named = names.values().stream().mapToInt(TreeMap::size).sum();
        int letters = names.values().stream().flatMap(n -> n.keySet().stream()).mapToInt(name -> name.length).sum();
        int size = BODY_AT + 12 + 8 * least.length + 10 * rows.size() + 14 * named + letters
                + (sparse ? hit * (Character.BYTES + width) : counts.length * width);
        ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        out.put((byte) 'm').put((byte) 'h').put(VERSION).put((byte) (sparse ? width | SPARSE : width)).put(features);
        out.putInt(0).putInt(counts.length);
        out.putChar((char) least.length).putChar((char) rows.size()).putInt(named);
        for (float end : least) {
            out.putFloat(end + 0f); // of -0 and 0, only 0
        }
        for (float end : most) {
            out.putFloat(end + 0f);
        }
        rows.forEach((part, some) -> out.putChar((char) (int) part).putLong(some));
        for (Map.Entry<Integer, TreeMap<byte[], Long>> column : names.entrySet()) {
            column.getValue().forEach((name, often) ->
                    out.putChar((char) (int) column.getKey()).putInt(name.length).putLong(often).put(name));
        }
        for (int i = 0; sparse && i < counts.length; i++) {
            if (counts[i] != 0) {
                out.putChar((char) i);
            }
        }
        for (long count : counts) {
            if (count != 0 || !sparse) {
                write(out, count, width);
            }
        }
        out.putInt(CRC_AT, (int) checksum(out.array()));
        return out.array();
    }

    private static float[] floats(ByteBuffer in, int many) {
        float[] read = new float[many];
        for (int i = 0; i < many; i++) {
            read[i] = in.getFloat();
        }
        return read;
    }

    private static int width(long greatest) {
        return greatest < 1L << 8 ? 1 : greatest < 1L << 16 ? 2 : greatest < 1L << 32 ? 4 : 8;
    }

    private static long read(ByteBuffer in, int width) {
        switch (width) {
            case 1:
                return in.get() & 0xff;
            case 2:
                return in.getChar();
            case 4:
                return in.getInt() & 0xffffffffL;
            default:
                return in.getLong();
        }
    }

    private static void write(ByteBuffer out, long count, int width) {
        switch (width) {
            case 1:
                out.put((byte) count);
                break;
            case 2:
                out.putChar((char) count);
                break;
            case 4:
                out.putInt((int) count);
                break;
            default:
                out.putLong(count);
        }
    }

    private static long checksum(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, CRC_AT);
        crc.update(bytes, BODY_AT, bytes.length - BODY_AT);
        return crc.getValue();
    }

    private static long crc(byte[] name) {
        CRC32 crc = new CRC32();
        crc.update(name);
        return crc.getValue();
    }
}
