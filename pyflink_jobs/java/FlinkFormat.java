package millstream;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.Factory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.SerializationFormatFactory;

/** A format of Flink's under a name of ours: its options, and its factories. */
abstract class FlinkFormat implements Factory {

    private final String prefix;
    private final String name;

    FlinkFormat(String prefix, String name) {
        this.prefix = prefix;
        this.name = name;
    }

    @Override
    public String factoryIdentifier() {
        return prefix + name;
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return reading().requiredOptions();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return reading().optionalOptions();
    }

    DeserializationFormatFactory reading() {
        return FactoryUtil.discoverFactory(getClass().getClassLoader(), DeserializationFormatFactory.class, name);
    }

    SerializationFormatFactory writing() {
        return FactoryUtil.discoverFactory(getClass().getClassLoader(), SerializationFormatFactory.class, name);
    }
}
