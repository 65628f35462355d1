/** Whether everything is to be tried at full length: the environment says `KYB_TEST_LONG=1`. */
export function isLongForm(): boolean {
  const { KYB_TEST_LONG = "" } = process.env;
  return KYB_TEST_LONG !== "" && KYB_TEST_LONG !== "0" && KYB_TEST_LONG !== "false";
}
