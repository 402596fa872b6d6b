use crate::UnixTime;
use crate::json::Value;
use crate::metadata::*;
macro_rules! r {
    ($t:ty,$k:expr) => {
        impl Role for $t {
            const TYPE: TopLevelRole = $k;
            fn from_value(_: &Value<'_>) -> Result<Self, FormatError> {
                todo!()
            }
            fn to_value(&self) -> Value<'static> {
                todo!()
            }
            fn version(&self) -> u64 {
                todo!()
            }
            fn expires(&self) -> UnixTime {
                todo!()
            }
        }
    };
}
r!(Root, TopLevelRole::Root);
r!(Timestamp, TopLevelRole::Timestamp);
r!(Snapshot, TopLevelRole::Snapshot);
r!(Targets, TopLevelRole::Targets);
