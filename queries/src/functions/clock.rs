//! The clock as functions: CURRENT_TIMESTAMP and its like.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, TimestampMillisecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Timelike};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::calendar::{from_wall_clock, zone};

/// What of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Now {
    Moment,
    Local,
    Date,
    Time,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ClockFunction {
    name: &'static str,
    now: Now,
    zone: String,
    signature: Signature,
}

pub(super) fn clock(name: &'static str, now: Now, zone: &str) -> ScalarUDF {
    let signature = Signature::nullary(Volatility::Volatile);
    ScalarUDF::from(ClockFunction { name, now, zone: zone.to_owned(), signature })
}

/// Milliseconds since 1970: the one place where a query reads the clock.
pub(super) fn now_ms() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.ok().and_then(|since| i64::try_from(since.as_millis()).ok());
    millis.ok_or_else(|| exec_datafusion_err!("the clock shows a time before 1970"))
}

impl ScalarUDFImpl for ClockFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        let zone = || Some(Arc::from(self.zone.as_str()));
        Ok(match self.now {
            Now::Moment => DataType::Timestamp(TimeUnit::Millisecond, zone()),
            Now::Local => DataType::Timestamp(TimeUnit::Millisecond, None),
            Now::Date => DataType::Date32,
            Now::Time => DataType::Time32(TimeUnit::Millisecond),
        })
    }

    /// One moment for all rows of a batch.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let now = DateTime::from_timestamp_millis(now_ms()?)
            .ok_or_else(|| exec_datafusion_err!("the clock shows no time"))?;
        let mut local = now.with_timezone(&zone(&self.zone)?).naive_local();
        if self.now == Now::Time {
            // CURRENT_TIME is a TIME(0).
            local = local.with_nanosecond(0).unwrap_or(local);
        }
        let array = match self.now {
            Now::Moment => {
                let name = Some(Arc::from(self.zone.as_str()));
                let array = TimestampMillisecondArray::from(vec![now.timestamp_millis()]);
                Arc::new(array.with_timezone_opt(name)) as ArrayRef
            }
            _ => from_wall_clock(vec![Some(local)], args.return_type())?,
        };
        Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
    }
}
