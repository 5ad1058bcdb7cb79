console.error("SHOP_KEY is not set");
process.exit(3);
