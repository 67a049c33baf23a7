package millstream;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.rex.RexUtil;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.planner.calcite.FlinkTypeFactory;

/**
 * Writes queries as JSON, as the planner has read them and before it optimises them.
 *
 * <p>A relation is written once, however many queries read it: others refer to it by its number. So what a query adds to
 * the views that it reads is what a call returns for it. An expression is an array: its function, its type, its value,
 * its operands. The function is "$" for a column of the inputs, whose number is the value, and "'" for a literal.
 *
 * <p>It needs Calcite's classes, which only the planner's own class loader may have.
 */
public class Relations {

    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final Map<RelDataType, String> types = new HashMap<>();
    private ArrayNode added = json.createArrayNode();

    /** Returns the relations of a query that no query before has, each after those that it reads. */
    public String read(RelNode query) {
        added = json.createArrayNode();
        int before = numbers.size();
        try {
            number(query);
        } catch (RuntimeException unknown) { // of a query that fails nothing is known
            numbers.values().removeIf(number -> number >= before);
            throw unknown;
        }
        return added.toString();
    }

    private int number(RelNode relation) {
        ObjectNode node = json.createObjectNode();
        String kind = relation.getRelTypeName();
        node.put("kind", kind.startsWith("Logical") ? kind.substring("Logical".length()) : kind);
        ArrayNode columns = node.putArray("columns");
        relation.getRowType().getFieldNames().forEach(columns::add);
        ArrayNode inputs = node.putArray("inputs");
        relation.getInputs().forEach(input -> inputs.add(number(input)));
        if (relation instanceof Project project) {
            node.set("expressions", written(project.getProjects(), relation));
        } else if (relation instanceof Filter filter) {
            node.set("expressions", written(List.of(filter.getCondition()), relation));
        } else if (relation instanceof Join join) {
            node.set("expressions", written(List.of(join.getCondition()), relation));
        } else if (relation instanceof Aggregate aggregate) {
            ArrayNode groups = node.putArray("groups");
            aggregate.getGroupSet().forEach(groups::add);
            ArrayNode calls = node.putArray("calls");
            aggregate.getAggCallList().forEach(call -> calls.add(aggregated(call)));
        } else if (relation instanceof TableScan scan) {
            List<String> name = scan.getTable().getQualifiedName();
            node.put("table", name.get(name.size() - 1));
        }
        String text = node.toString();
        Integer known = numbers.putIfAbsent(text, numbers.size());
        if (known != null) {
            return known;
        }
        added.add(node);
        return numbers.size() - 1;
    }

    /** Returns the name of an aggregate function, and its arguments: of one with FILTER no name. */
    private ArrayNode aggregated(AggregateCall call) {
        ArrayNode found = json.createArrayNode().add(call.hasFilter() ? "" : call.getAggregation().getName());
        call.getArgList().forEach(found::add);
        return found;
    }

    private ArrayNode written(List<RexNode> expressions, RelNode relation) {
        ArrayNode found = json.createArrayNode();
        for (RexNode expression : expressions) {
            RexNode plain = RexUtil.expandSearch(relation.getCluster().getRexBuilder(), null, expression);
            found.add(written(plain));
        }
        return found;
    }

    private ArrayNode written(RexNode expression) {
        ArrayNode found = json.createArrayNode();
        List<RexNode> operands = List.of();
        if (expression instanceof RexInputRef column) {
            found.add("$").add(type(expression)).add(column.getIndex());
        } else if (expression instanceof RexLiteral literal) {
            found.add("'").add(type(expression));
            Object value = literal.getValue();
            if (value instanceof Number number) {
                found.add(number.doubleValue());
            } else if (value == null) {
                found.addNull();
            } else {
                found.add(value instanceof Enum ? value.toString() : literal.toString());
            }
        } else if (expression instanceof RexFieldAccess access) {
            found.add(".").add(type(expression)).add(access.getField().getName());
            operands = List.of(access.getReferenceExpr());
        } else if (expression instanceof RexCall call) {
            found.add(call.getOperator().getName().toUpperCase(Locale.ROOT)).add(type(expression));
            operands = call.getOperands();
            if (expression instanceof RexSubQuery query) {
                found.add(number(query.rel));
            } else {
                found.add(expression instanceof RexOver over ? over.getWindow().toString() : null);
            }
        } else { // such as the row around a correlated subquery; it has another name in each query
            found.add(expression.getClass().getSimpleName()).add(type(expression)).addNull();
        }
        ArrayNode below = found.addArray();
        operands.forEach(operand -> below.add(written(operand)));
        return found;
    }

    /** Returns a type as SQL has it, without NOT NULL; a type that only the planner knows by the planner's name. */
    private String type(RexNode expression) {
        return types.computeIfAbsent(expression.getType(), type -> {
            try {
                return FlinkTypeFactory.toLogicalType(type).copy(true).asSummaryString();
            } catch (RuntimeException unknown) {
                return type.getSqlTypeName().getName();
            }
        });
    }
}
